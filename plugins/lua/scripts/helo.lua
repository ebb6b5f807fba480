-- helo.lua: whether a client greets with a name or an address of ours.
--
-- SPDX-License-Identifier: BSD-2-Clause
--
--   use lua as helo-check {
--       script "/usr/share/filterd/lua/helo.lua"
--       set own         example.com mx.example.com
--       set own-address 192.0.2.25
--   }
--   at helo { reject impostor if helo-check.claims-us
--                                and client.ip not in ours }

summary "clients that greet with a name of ours"

local own = option {
    name = "own", type = "domain", many = true, required = true,
    doc = "Names that only we have; names below them too.",
}
local own_address = option {
    name = "own-address", type = "ip", many = true, default = {},
    doc = "Addresses that only we have.",
}

need "helo.name"

fact {
    name = "claims-us", type = "bool", stage = "helo",
    doc = "Whether the greeting is a name or an address of ours.",
}

local function is_own_name(name)
    for _, ours in ipairs(own) do
        if name == ours or name:sub(-#ours - 1) == "." .. ours then
            return true
        end
    end
    return false
end

-- "[192.0.2.25]", "[IPv6:2001:db8::25]", and what lacks the brackets.
local function is_own_address(name)
    local address = name:gsub("^%[", ""):gsub("%]$", ""):gsub("^ipv6:", "")
    return #own_address > 0
           and ip.within(address, table.unpack(own_address)) == true
end

function helo()
    local name = lookup "helo.name"
    if name == nil then
        return
    end
    name = name:lower():gsub("%.$", "")
    publish("claims-us", is_own_name(name) or is_own_address(name))
end
