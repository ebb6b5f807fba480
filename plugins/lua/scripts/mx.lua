-- mx.lua: whether a sender's domain can be written back to: a domain whose mail
-- servers are all at private addresses cannot.
--
-- SPDX-License-Identifier: BSD-2-Clause
--
--   use lua as mx { script "/usr/share/filterd/lua/mx.lua" }
--   at mail {
--       reject bogus-mx if mx.bogus
--              reply 550 5.1.8 "{mail.domain}: {mx.host} is no mail server"
--   }

summary "senders whose mail servers are nowhere"

-- RFC 6890 and what replaced parts of it.
local special = {
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
    "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
    "::/127", "100::/64", "fc00::/7", "fe80::/10", "ff00::/8",
}
local hosts_limit = 10

need "mail.domain"

fact {
    name = "bogus", type = "bool", stage = "mail",
    doc = "Whether all mail servers of the sender's domain are at addresses " ..
          "that are not in the Internet.",
}
fact {
    name = "host", type = "text", stage = "mail",
    doc = "One of these mail servers.",
}
fact {
    name = "null", type = "bool", stage = "mail",
    doc = "Whether the domain says that it takes no mail (RFC 7505).",
}

-- Whether it is at some address of the Internet; nil: not to be found out.
local function is_real(host)
    local unknown = false
    for _, kind in ipairs { "A", "AAAA" } do
        local addresses = dns(host, kind)
        unknown = unknown or addresses == nil
        for _, address in ipairs(addresses or {}) do
            if not ip.within(address, table.unpack(special)) then
                return true
            end
        end
    end
    if unknown then
        return nil
    end
    return false
end

-- The domain itself, where it has no MX (RFC 5321 5.1).
local function servers(domain)
    local records = dns(domain, "MX")
    if records == nil then
        return nil
    end
    local hosts = {}
    for i = 1, math.min(#records, hosts_limit) do
        hosts[i] = records[i].name
        prefetch(hosts[i], "A")
        prefetch(hosts[i], "AAAA")
    end
    return #hosts > 0 and hosts or { domain }
end

function mail()
    local domain = lookup "mail.domain"
    if domain == nil then
        return
    end
    local hosts = servers(domain)
    if hosts == nil then
        return
    end
    if #hosts == 1 and (hosts[1] == "" or hosts[1] == ".") then
        publish("null", true)
        return publish("bogus", false)
    end
    publish("null", false)
    local unknown = false
    for _, host in ipairs(hosts) do
        local real = is_real(host)
        if real then
            return publish("bogus", false)
        end
        unknown = unknown or real == nil
    end
    if not unknown then
        publish("bogus", true)
        publish("host", hosts[1])
    end
end
