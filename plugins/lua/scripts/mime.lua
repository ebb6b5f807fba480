-- mime.lua: walks over the header fields of all parts of a message, as it comes
-- (RFC 2045, 2046, 2231, 2047). For scripts that say `module "mime.lua"`.
--
-- SPDX-License-Identifier: BSD-2-Clause
--
--   local mime = require "mime"
--   function header(name, value)
--       message.walk = message.walk or mime.new()
--       mime.field(message.walk, name, value)
--   end
--   function body(chunk)
--       for name, value in mime.feed(message.walk, chunk) do … end
--   end
--
-- Body chunks may be cut anywhere. What is over a limit is not looked at.

local mime = {}

local line_limit = 4096
local field_limit = 16384
local depth_limit = 20
local fields_limit = 5000

function mime.new()
    return { boundaries = {}, place = "body", rest = "", fields = 0 }
end

-- ---- parameters ----------------------------------------------------------

local function unquote(text)
    return (text:gsub("\\(.)", "%1"))
end

local function percent(text)
    return (text:gsub("%%(%x%x)", function(code)
        return string.char(tonumber(code, 16))
    end))
end

-- What stands between the quote at `at` and the next that is not escaped, or the
-- end; and where it goes on behind that.
local function quoted(value, at)
    local from = at + 1
    at = from
    while at <= #value do
        local mark = value:find('["\\]', at)
        if mark == nil then
            break
        elseif value:byte(mark) == 34 then
            return unquote(value:sub(from, mark - 1)), mark + 1
        end
        at = mark + 2
    end
    return unquote(value:sub(from)), #value + 1
end

-- NAME=VALUE and NAME="VALUE" behind semicolons, in order.
local function each_parameter(value)
    local at = (value:find(";", 1, true) or #value) + 1
    return function()
        while at <= #value do
            local name, behind = value:match("^[%s;]*([^%s=;\"]+)%s*=%s*()", at)
            if name == nil then
                at = (value:find(";", at, true) or #value) + 1
            else
                local text
                if value:byte(behind) == 34 then
                    text, at = quoted(value, behind)
                else
                    text, at = value:match("^([^%s;]*)()", behind)
                end
                return name:lower(), text
            end
        end
    end
end

-- The value of a parameter, put together from its parts (RFC 2231); nil.
function mime.parameter(value, wanted)
    local parts, whole = {}, nil
    for name, text in each_parameter(value) do
        local base, number, star = name:match("^([^*]+)%*?(%d*)(%*?)$")
        if base == wanted then
            local extended = star == "*" or name:sub(-1) == "*"
            if extended and (number == "" or number == "0") then
                text = text:gsub("^[^']*'[^']*'", "")
            end
            text = extended and percent(text) or text
            if number == "" then
                whole = whole or text
            else
                parts[tonumber(number) + 1] = text
            end
        end
    end
    return #parts > 0 and table.concat(parts) or whole
end

-- ---- encoded words -------------------------------------------------------

local digits = {}
for i, range in ipairs { { "A", "Z" }, { "a", "z" }, { "0", "9" } } do
    for code = range[1]:byte(), range[2]:byte() do
        digits[code] = (i - 1) * 26 + code - range[1]:byte()
    end
end
digits[("+"):byte()], digits[("/"):byte()] = 62, 63

local function base64(text)
    local out, value, bits = {}, 0, 0
    for i = 1, #text do
        local digit = digits[text:byte(i)]
        if digit then
            value, bits = value << 6 | digit, bits + 6
            if bits >= 8 then
                bits = bits - 8
                out[#out + 1] = string.char(value >> bits & 255)
                value = value & (1 << bits) - 1
            end
        end
    end
    return table.concat(out)
end

local function q(text)
    return (text:gsub("_", " "):gsub("=(%x%x)", function(code)
        return string.char(tonumber(code, 16))
    end))
end

-- Encoded words (RFC 2047) as their octets; their charset is not looked at.
function mime.words(text)
    text = text:gsub("%?=%s+=%?", "?==?")
    return (text:gsub("=%?[^?%s]+%?([bBqQ])%?([^?]*)%?=", function(kind, word)
        return kind:lower() == "b" and base64(word) or q(word)
    end))
end

-- ---- the walk ------------------------------------------------------------

-- Takes a field of the message's own header, or of a part's.
function mime.field(walk, name, value)
    if name ~= "content-type" then
        return
    end
    local kind = value:match("^%s*([^%s;]+)")
    kind = kind and kind:lower() or ""
    walk.embedded = kind == "message/rfc822" or kind == "message/global"
    local boundary = mime.parameter(value, "boundary")
    if kind:sub(1, 10) == "multipart/" and boundary and boundary ~= ""
       and #walk.boundaries < depth_limit then
        table.insert(walk.boundaries, "--" .. boundary:gsub("%s+$", ""))
    end
end

-- Whether the line ends a part: then what is in it is over, too.
local function at_boundary(walk, line)
    for i = #walk.boundaries, 1, -1 do
        local boundary = walk.boundaries[i]
        if line:sub(1, #boundary) == boundary then
            local behind = line:sub(#boundary + 1)
            local last = behind:sub(1, 2) == "--"
            if last or behind:find("^%s*$") then
                for j = #walk.boundaries, i + (last and 0 or 1), -1 do
                    walk.boundaries[j] = nil
                end
                walk.place = last and "body" or "header"
                walk.embedded, walk.field = false, nil
                return true
            end
        end
    end
    return false
end

-- Ends the field that was gathered; its name and value, or nil.
local function end_field(walk)
    local field = table.concat(walk.field or {})
    local name, value = field:match("^([^%s:]+)[ \t]*:%s*(.*)$")
    walk.field = nil
    if name == nil or walk.fields >= fields_limit then
        return nil
    end
    walk.fields = walk.fields + 1
    name = name:lower()
    mime.field(walk, name, value)
    return name, value
end

local function take_line(walk, line)
    if line:sub(1, 2) == "--" and at_boundary(walk, line) then
        return nil
    end
    if walk.place == "body" then
        return nil
    end
    if line:find("^[ \t]") and walk.field then
        walk.size = walk.size + #line
        if walk.size <= field_limit then
            table.insert(walk.field, line)
        end
        return nil
    end
    local name, value = end_field(walk)
    if line ~= "" then
        walk.field, walk.size = { line }, #line
    elseif walk.embedded then
        walk.embedded = false
    else
        walk.place = "body"
    end
    return name, value
end

-- The fields of parts that the chunk ends, in order: name in lower case, value.
function mime.feed(walk, chunk)
    if #walk.boundaries == 0 and not walk.embedded
       and walk.place == "body" then
        return function() end
    end
    if walk.embedded and walk.place == "body" then
        walk.place, walk.embedded = "header", false
    end
    local text, at = walk.rest .. chunk, 1
    return function()
        while true do
            local stop = text:find("\n", at, true)
            if stop == nil then
                walk.rest = text:sub(at, at + line_limit)
                return nil
            end
            local line = text:sub(at, math.min(stop - 1, at + line_limit))
            at = stop + 1
            local name, value = take_line(walk, (line:gsub("\r$", "")))
            if name then
                return name, value
            end
        end
    end
end

return mime
