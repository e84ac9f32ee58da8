-- qb-houserobbery (facts: qbcore-framework/qb-houserobbery at 5372786) and qbx_houserobbery
-- (Qbox-project/qbx_houserobbery at 45be7c2). Neither says which house it is, nor that it worked: a
-- burglar who is in has been moved from the door into the house.

local MOVED = 5 -- metres
local CHECKS = { 1000, 3000, 6000, 10000, 15000 } -- picking a lock takes its time

local function has_moved(from, to)
    local x, y, z = to.x - from.x, to.y - from.y, to.z - from.z
    return math.sqrt(x * x + y * y + z * z) > MOVED
end

local function watch_burglar(adapter, player, is_inside)
    local door = adapter.position(player)
    if not door then
        return
    end
    local is_reported = false
    for _, milliseconds in ipairs(CHECKS) do
        adapter.verify_later(milliseconds, function()
            local position = adapter.position(player)
            if not is_reported and position and is_inside(door, position) then
                is_reported = true
                Houses.break_in(adapter, door, Text('house_robbed'))
            end
        end)
    end
end

Adapter('qb-houserobbery', function(adapter)
    adapter.on_net('qb-houserobbery:server:enterHouse', function(player)
        watch_burglar(adapter, player, function(door, position)
            return has_moved(door, position)
        end)
    end)
end)

Adapter('qbx_houserobbery', function(adapter)
    local function is_inside(player)
        return function(door, position)
            return has_moved(door, position) and GetPlayerRoutingBucket(player) ~= 0
        end
    end

    adapter.on('lockpicks:UseLockpick', function(player)
        watch_burglar(adapter, player, is_inside(player))
    end)
    adapter.on_net('qbx_houserobbery:server:enterHouse', function(player)
        watch_burglar(adapter, player, is_inside(player))
    end)
end)
