-- miltertest.lua: does what it is told line by line, and says when it is done.
--
-- SPDX-License-Identifier: BSD-2-Clause

function connect(where, client)
    milter = mt.connect(where, 100, 0.02)
    mt.negotiate(milter, nil, nil, nil)
    mt.conninfo(milter, "unknown", client)
end

-- Where it was agreed on, DATA is not said. The first refusal is an error.
function data()
    if not mt.test_option(milter, SMFIP_NODATA) then mt.data(milter) end
end

function body(piece)
    if mt.test_option(milter, SMFIP_NOBODY) or skipping then return end
    mt.bodystring(milter, piece)
    skipping = mt.getreply(milter) == SMFIR_SKIP
end

for line in io.lines() do
    local well, problem = pcall(load(line))
    io.write(well and "done" or tostring(problem), "\n")
    io.flush()
end
