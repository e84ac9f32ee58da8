-- The base of adapters: one file in adapters/ for each resource whose happenings are reported.
--
--   Adapter('some-housing', function(adapter)
--       adapter.on_net('some-housing:server:enter', function(player, id)
--           adapter.verify_later(500, function()
--               if exports['some-housing']:IsInside(player, id) then
--                   adapter.report('Visit', { property = adapter.property(id), user = player })
--               end
--           end)
--       end)
--   end)
--
-- The function runs once, when that resource is started for the first time, so nothing is
-- registered on a server that does not have it. An event that players can trigger is only an attempt:
-- read the outcome from the other resource before you report it.

local adapters = {}

local function is_started(resource)
    return GetResourceState(resource) == 'started'
end

-- Calls a function and prints its error. Its result is dropped, because a hook that returns something
-- would change what the other resource does.
local function run(resource, fn, ...)
    local done, problem = pcall(fn, ...)
    if not done then
        Say('adapter_failed', resource, tostring(problem))
    end
end

local function make(resource, config)
    local adapter = { resource = resource, config = config, position = Players.position }
    local starts, stops = {}, {}
    local limiters = {}

    -- The external id of a property of this resource.
    function adapter.property(id)
        return { source = resource, id = id }
    end

    -- Calls one of our exports; prints the reason if nothing was stored.
    function adapter.report(export, given)
        local key, why = Api[export](given)
        if not key then
            Say('not_reported', resource, export, why)
        end
        return key
    end

    -- A player's user id, nil if they have none.
    function adapter.user(player)
        return (Players.user(player))
    end

    -- A function for the other resource to call: it never returns anything.
    function adapter.callback(fn)
        return function(...)
            run(resource, fn, ...)
        end
    end

    -- Handles an event that only the server triggers.
    function adapter.on(event, fn)
        AddEventHandler(event, function(...)
            if type(source) ~= 'number' and is_started(resource) then
                run(resource, fn, ...)
            end
        end)
    end

    -- Handles an event that players trigger: fn(player, …), at most once a second for each player.
    function adapter.on_net(event, fn)
        limiters[event] = limiters[event] or Players.limiter(1000)
        RegisterNetEvent(event, function(...)
            local player = source
            if type(player) == 'number' and is_started(resource) and limiters[event](player) then
                run(resource, fn, player, ...)
            end
        end)
    end

    -- Handles events, also those that players trigger, as a hint that something may have changed.
    function adapter.watch(events, fn)
        for _, event in ipairs(events) do
            RegisterNetEvent(event, function(...)
                if is_started(resource) then
                    run(resource, fn, ...)
                end
            end)
        end
    end

    function adapter.is_started()
        return is_started(resource)
    end

    -- Runs a function later, unless the other resource is gone by then.
    function adapter.verify_later(milliseconds, fn)
        SetTimeout(milliseconds, function()
            if is_started(resource) then
                run(resource, fn)
            end
        end)
    end

    -- Runs a function now and at each later start of the other resource, which forgets its hooks.
    function adapter.on_start(fn)
        starts[#starts + 1] = fn
        run(resource, fn)
    end

    -- Runs a function when the other resource stops.
    function adapter.on_stop(fn)
        stops[#stops + 1] = fn
    end

    function adapter.started()
        for _, fn in ipairs(starts) do
            run(resource, fn)
        end
    end

    function adapter.stopped()
        for _, fn in ipairs(stops) do
            run(resource, fn)
        end
    end

    return adapter
end

-- Declares the adapter of a resource.
function Adapter(resource, setup)
    local configs = type(Config.adapters) == 'table' and Config.adapters or {}
    local config = configs[resource]
    if config ~= false then
        adapters[resource] = { setup = setup, config = type(config) == 'table' and config or {} }
    end
end

local function start(resource)
    local declared = adapters[resource]
    if not declared or declared.is_running then
        return
    end
    declared.is_running = true
    if declared.adapter then
        declared.adapter.started()
    else
        declared.adapter = make(resource, declared.config)
        run(resource, declared.setup, declared.adapter)
        print(Text('adapter_started', resource))
    end
end

AddEventHandler('onServerResourceStart', start)

AddEventHandler('onServerResourceStop', function(resource)
    local declared = adapters[resource]
    if declared and declared.is_running then
        declared.is_running = false
        declared.adapter.stopped()
    end
end)

Adapters = {}

-- Starts the adapters of what is started already.
function Adapters.start()
    for resource in pairs(adapters) do
        if is_started(resource) then
            start(resource)
        end
    end
end
