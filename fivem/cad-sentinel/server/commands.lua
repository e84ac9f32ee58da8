-- /cadsentinel on the console, and /cadlink for players.

local CONSOLE = 0
local may_link = Players.limiter(3000)

local function print_status()
    local status = Api.Status()
    print(Text('status', status.version, Text(status.connected and 'up' or 'down'), Settings.url()))
    print(Text('status_counts', status.waiting, status.refused))
    print(Text('status_pushes', status.pushes or Text('way_none')))
    local way = 'cad_' .. status.cad
    print(Text('status_cad', Text(way)))
    if status.problem then
        print(status.problem)
    end
    for _, message in ipairs(Spool.refused_messages()) do
        print(
            Text('refused', message.type or 'push', message.key, message.status, message.problem)
        )
    end
end

local ACTIONS = {
    status = print_status,
    retry = function()
        print(Text('retried', Spool.retry_refused()))
        Outbox.retry()
    end,
    drop = function(what)
        if what == 'waiting' then
            print(Text('dropped_waiting', Spool.drop_waiting()))
        else
            print(Text('dropped', Spool.drop_refused()))
        end
    end,
    sync = function()
        print(Text('synced', Houses.report_again()))
    end,
}

RegisterCommand('cadsentinel', function(from, words)
    if from ~= CONSOLE then
        return
    end
    local action = ACTIONS[words[1] or 'status']
    if action then
        action(words[2])
    else
        print(Text('usage'))
    end
end, true)

local function tell(player, text)
    TriggerClientEvent('chat:addMessage', player, { args = { 'CAD Sentinel', text } })
end

RegisterCommand('cadlink', function(player, words)
    local code = words[1] or ''
    if player == CONSOLE then
        print(Text('link_in_game'))
    elseif not code:find('^%w+$') or #code > 32 then
        tell(player, Text('link_usage'))
    elseif not may_link(player) then
        tell(player, Text('link_slowly'))
    else
        local user, why = Players.user(player)
        if not user then
            tell(player, why)
            return
        end
        Api.Ask('confirm-link', { code = code, clientId = user }, function(linked, problem)
            tell(player, linked and (linked.message or Text('linked')) or Text('not_linked', problem))
        end)
    end
end, false)
