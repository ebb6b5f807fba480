-- attachment.lua: attachments whose names end as nobody wants them to.
--
-- SPDX-License-Identifier: BSD-2-Clause
--
--   use lua as attachment {
--       script "/usr/share/filterd/lua/attachment.lua"
--       module "/usr/share/filterd/lua/mime.lua"
--       set banned exe scr js vbs
--   }
--   at message { reject attachment if attachment.banned
--                       reply 550 5.7.1 "no {attachment.name}, please" }

summary "attachments with names that are not wanted"

local mime = require "mime"

local banned = {}
for _, extension in ipairs(option {
    name = "banned", type = "text", many = true,
    default = { "ade", "bat", "chm", "cmd", "com", "cpl", "exe", "hta", "iso",
                "jar", "js", "jse", "lnk", "msi", "pif", "ps1", "scr", "vbe",
                "vbs", "wsf" },
    doc = "What names are not to end with, without the dot.",
}) do
    banned[extension:lower()] = true
end

fact {
    name = "banned", type = "bool", stage = "message",
    doc = "Whether there is such an attachment.",
}
fact {
    name = "name", type = "text", stage = "message",
    doc = "The name of the first of them.",
}
fact {
    name = "parts", type = "int", stage = "message",
    doc = "How many parts have a name.",
}

-- What Windows makes of "x.exe. ": blanks and dots at the end do not count.
local function extension_of(name)
    name = name:gsub("[%s%.%c]+$", "")
    return (name:match("%.([^%.]*)$") or ""):lower()
end

local function look(name, value)
    local file
    if name == "content-disposition" then
        file = mime.parameter(value, "filename")
    elseif name == "content-type" then
        file = mime.parameter(value, "name")
    end
    if file == nil then
        return
    end
    file = mime.words(file)
    message.parts = (message.parts or 0) + 1
    if message.name == nil and banned[extension_of(file)] then
        message.name = file
    end
end

function header(name, value)
    message.walk = message.walk or mime.new()
    mime.field(message.walk, name, value)
    look(name, value)
end

function body(chunk)
    message.walk = message.walk or mime.new()
    for name, value in mime.feed(message.walk, chunk) do
        look(name, value)
    end
end

function eom()
    publish("banned", message.name ~= nil)
    publish("name", message.name)
    publish("parts", message.parts or 0)
end
