-- quota.lua: how many messages a sender has begun today.
--
-- SPDX-License-Identifier: BSD-2-Clause
--
--   use lua as quota {
--       script "/usr/share/filterd/lua/quota.lua"
--       set limit 200
--   }
--   at mail { tempfail too-many if known auth.user and quota.over
--                    reply 450 4.7.1 "{quota.count} messages are enough" }

summary "how many messages a sender has begun today"

local limit = option {
    name = "limit", type = "int", default = 500, low = 1,
    doc = "Messages of one sender in a day.",
}

need "mail.from"
need "auth.user"

fact {
    name = "count", type = "int", stage = "mail", effect = true,
    doc = "Transactions of this sender since midnight (UTC), this one " ..
          "included: of who authenticated, else of the reverse-path.",
}
fact {
    name = "over", type = "bool", stage = "mail", effect = true,
    doc = "Whether these are more than `limit`.",
}

function mail()
    local who = lookup "auth.user" or lookup "mail.from"
    if who == nil or who == "" then
        return
    end
    local today = now() // day
    local key = today .. " " .. who:lower():sub(1, 400)
    local count = store.add(key, 1, 2 * day)
    if count == nil then
        return
    end
    publish("count", count)
    publish("over", count > limit)
end
