-- ox_inventory (facts: overextended/ox_inventory at 83029c69): the stashes of houses.
--
-- The hook itself returns nothing, as that would block what players do. A call of it is only an attempt; a
-- moment later an event with the hook's id says whether items have moved.

local STASHES = { '^property_', '^property%-', '^qbx_properties_' }
local WORDS = 100 -- most characters of an item's name

Adapter('ox_inventory', function(adapter)
    local may_report = Players.limiter(1000)

    local function report(player, stash, reason)
        local property = Houses.of_stash(tostring(stash))
        if property then
            adapter.report('BadgeScan', {
                property = property,
                user = player,
                allowed = true,
                method = 'stash',
                reason = reason,
            })
        end
    end

    adapter.on('ox_inventory:openedInventory', function(player, stash)
        if stash and may_report(player) then
            report(player, stash, Text('stash_opened'))
        end
    end)

    local function on_moved(is_done, move)
        local slot = type(move) == 'table' and move.fromSlot
        if not is_done or type(slot) ~= 'table' or move.fromInventory == move.toInventory then
            return
        end
        local count = move.count or slot.count or 1
        local item = tostring(slot.label or slot.name):sub(1, WORDS)
        if move.toInventory == move.source then
            report(move.source, move.fromInventory, Text('taken', count, item))
        elseif move.fromInventory == move.source then
            report(move.source, move.toInventory, Text('put', count, item))
        end
    end

    local hook
    adapter.on_start(function()
        local before = hook
        hook = exports.ox_inventory:registerHook('swapItems', function() end, {
            inventoryFilter = STASHES,
        })
        if hook and hook ~= before then
            adapter.on(hook, on_moved)
        end
    end)
end)
