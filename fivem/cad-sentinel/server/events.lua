-- Events of the bot, as 'cad-sentinel:<event>' for other resources of this server: (data, id).
--
-- Each comes at least once; after a crash of the game server the last ones may come again, with the
-- same id. They are not sent to players' games.

Events = {}

local WAIT = 4 -- seconds: FXServer gives a request up that has had no answer for five
local SHORTEST = 1000 -- milliseconds between two polls that bring nothing

local failures = 0

local function publish(page)
    if page.missed then
        TriggerEvent('cad-sentinel:missed')
    end
    for _, event in ipairs(page.events) do
        TriggerEvent('cad-sentinel:' .. event.type:gsub('^events%.', ''), event.data, event.id)
    end
end

local function path(after)
    local events = Config.events or 'all'
    local names = type(events) == 'table' and table.concat(events, ',') or tostring(events)
    names = names:gsub('%s', '')
    local path = ('/api/events?names=%s&wait=%d'):format(names, after and WAIT or 0)
    return after and path .. '&after=' .. after or path
end

-- Polls for events, again and again.
function Events.poll()
    local after = GetResourceKvpString('after')
    local began = GetGameTimer()
    Link.request('GET', path(after), nil, nil, function(status, page, problem)
        if (status == 400 or status == 404) and Link.is_the_bot() then
            Say('no_events', problem)
        end
        local is_page = status == 200 and type(page) == 'table' and type(page.events) == 'table'
        local last = is_page and tonumber(page.last)
        last = last and math.tointeger(last)
        if not last then
            failures = failures + 1
            SetTimeout(Link.wait(failures), Events.poll)
            return
        end
        if failures > 0 then
            failures = 0
            Outbox.retry() -- the bot is there again
        end
        local done, fault = pcall(publish, page)
        if not done then
            print(tostring(fault))
        end
        if tostring(last) ~= after then
            SetResourceKvpNoSync('after', tostring(last))
        end
        local is_idle = #page.events == 0 and after and GetGameTimer() - began < SHORTEST
        SetTimeout(is_idle and SHORTEST or 0, Events.poll)
    end)
end
