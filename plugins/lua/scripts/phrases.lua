-- phrases.lua: words that a message says in its subject, or in its text and
-- links.
--
-- SPDX-License-Identifier: BSD-2-Clause
--
--   use lua as phrases {
--       script "/usr/share/filterd/lua/phrases.lua"
--       module "/usr/share/filterd/lua/mime.lua"
--       set subject "final notice"
--       set text    "crypto-wallet.example" "verify your account"
--   }
--   at message { score 3 phrase if known phrases.found }

summary "phrases in subject and text"

local mime = require "mime"

local function phrases(of, doc)
    local list = option { name = of, type = "text", many = true, default = {},
                          doc = doc }
    for i, phrase in ipairs(list) do
        list[i] = phrase:lower():gsub("%s+", " ")
    end
    return list
end

local in_subject = phrases("subject", "Phrases of the subject.")
local in_text = phrases("text", "Phrases of the text, links included, as " ..
                                "they stand there: nothing is decoded.")
local longest = 0
for _, phrase in ipairs(in_text) do
    longest = math.max(longest, #phrase)
end

fact {
    name = "found", type = "text", stage = "message",
    doc = "The first phrase that the message has; unknown: it has none.",
}

local function find(text, list)
    text = text:lower():gsub("%s+", " ")
    for _, phrase in ipairs(list) do
        if text:find(phrase, 1, true) then
            return phrase
        end
    end
end

function header(name, value)
    if name == "subject" and message.found == nil then
        message.found = find(mime.words(value), in_subject)
    end
end

-- A phrase may be cut in two: the end of what came before is looked at again.
function body(chunk)
    if message.found == nil and longest > 0 then
        local text = (message.rest or "") .. chunk
        message.found = find(text, in_text)
        message.rest = text:sub(-2 * longest)
    end
end

function eom()
    publish("found", message.found)
end
