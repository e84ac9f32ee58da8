-- What a server script finds in FXServer: threads, events, exports and natives.
-- `host` holds functions of fxserver.py; only nil, booleans, numbers and strings cross to it, and
-- handlers stay on this side, as a Lua object that outlives its coroutine crashes Python.

local host, serial_source = ...

local entry = {} -- what fxserver.py calls

-- threads -----------------------------------------------------------------------------------------

local sleepers = {}
local PARKED = {}

local function report(thread, problem)
    host.report_error(debug.traceback(thread, tostring(problem)))
end

local function resume(thread, ...)
    local results = table.pack(coroutine.resume(thread, ...))
    if not results[1] then
        report(thread, results[2])
        return false
    elseif coroutine.status(thread) == "dead" then
        return true, table.unpack(results, 2, results.n)
    elseif results[2] ~= PARKED then
        table.insert(sleepers, { at = host.now() + (results[2] or 0), thread = thread })
    end
    return false
end

local function spawn(fn, ...)
    return resume(coroutine.create(fn), ...)
end

function CreateThread(fn)
    table.insert(sleepers, { at = host.now(), thread = coroutine.create(fn) })
end

CreateThreadNow = spawn

function Wait(milliseconds)
    coroutine.yield(milliseconds)
end

function SetTimeout(milliseconds, fn)
    table.insert(sleepers, { at = host.now() + milliseconds, thread = coroutine.create(fn) })
end

function entry.tick()
    local now = host.now()
    local due, later = {}, {}
    for _, sleeper in ipairs(sleepers) do
        table.insert(sleeper.at <= now and due or later, sleeper)
    end
    sleepers = later
    for _, sleeper in ipairs(due) do
        resume(sleeper.thread)
    end
end

promise = {}
promise.__index = promise

function promise.new()
    return setmetatable({ waiting = {} }, promise)
end

local function finish(self, is_resolved, value)
    if self.is_done then
        return
    end
    self.is_done, self.is_resolved, self.value = true, is_resolved, value
    for _, thread in ipairs(self.waiting) do
        resume(thread)
    end
end

function promise:resolve(value)
    finish(self, true, value)
end

function promise:reject(value)
    finish(self, false, value)
end

local function await(pending)
    if not pending.is_done then
        table.insert(pending.waiting, (coroutine.running()))
        coroutine.yield(PARKED)
    end
    if not pending.is_resolved then
        error(pending.value, 2)
    end
    return pending.value
end

Citizen = {
    Await = await,
    CreateThread = CreateThread,
    CreateThreadNow = CreateThreadNow,
    SetTimeout = SetTimeout,
    Wait = Wait,
    Trace = function(text) host.print(text) end,
}

-- functions that cross to another resource --------------------------------------------------------

local by_reference, references, count = {}, {}, 0
local funcref_mt = {}
local serial

local awaited = {}

-- Returns the results of a function of another resource; as in the game, a thread waits for those of
-- one that waits itself.
local function results_of(problem, packed, number)
    if number then
        awaited[number] = promise.new()
        local outcome = await(awaited[number])
        problem, packed = outcome.problem, outcome.packed
    end
    if problem then
        error(problem, 3)
    end
    return serial.unpack(packed)
end

function entry.settle(number, problem, packed)
    if awaited[number] then
        awaited[number]:resolve({ problem = problem, packed = packed })
        awaited[number] = nil
    end
end

-- As in the game a function of another resource is a table that can be called.
function funcref_mt.__call(self, ...)
    return results_of(host.call_reference(self.reference, serial.pack(...)))
end

local functions = {}

function functions.reference(value)
    if getmetatable(value) == funcref_mt then
        return value.reference
    elseif type(value) ~= "function" then
        return nil
    elseif not references[value] then
        count = count + 1
        references[value] = ("%s:%d"):format(host.instance, count)
        by_reference[references[value]] = value
    end
    return references[value]
end

function functions.from_reference(reference)
    return by_reference[reference] or setmetatable({ reference = reference }, funcref_mt)
end

serial = load(serial_source, "@serial.lua")(functions)
entry.pack_json, entry.unpack_json = serial.pack_json, serial.unpack_json
json = serial.json
vector3, vec3 = serial.vector3, serial.vector3
msgpack = {
    pack = function(value) return serial.pack(value) end,
    unpack = function(text) return (serial.unpack(text)) end,
}

local calls = 0

-- Runs in a thread of its own. Returns a problem or the results, or the number under which they are
-- told when it has waited for something.
local function call(fn, packed)
    local problem, results, number
    local is_done = spawn(function(...)
        local values = table.pack(xpcall(fn, function(message)
            return debug.traceback(tostring(message), 2)
        end, ...))
        if values[1] then
            results = serial.pack(table.unpack(values, 2, values.n))
        else
            problem = values[2]
        end
        if number then
            host.settle(number, problem, results)
        end
    end, serial.unpack(packed))
    if not is_done then
        calls = calls + 1
        number = ("%s/%d"):format(host.instance, calls)
    end
    return problem, results, number
end

function entry.call_reference(reference, packed)
    return call(by_reference[reference], packed)
end

-- events ------------------------------------------------------------------------------------------

local handlers, handle = {}, 0

function AddEventHandler(name, fn)
    host.listen(name)
    handle = handle + 1
    handlers[name] = handlers[name] or {}
    handlers[name][handle] = fn
    return { name = name, key = handle }
end

function RemoveEventHandler(data)
    if handlers[data.name] then
        handlers[data.name][data.key] = nil
    end
end

function RegisterNetEvent(name, fn)
    host.listen_to_players(name)
    if fn then
        return AddEventHandler(name, fn)
    end
end

RegisterServerEvent = RegisterNetEvent

function TriggerEvent(name, ...)
    return host.trigger(name, serial.pack(...))
end

function TriggerClientEvent(name, target, ...)
    host.trigger_client(name, target, serial.pack(...))
end

TriggerLatentClientEvent = function(name, target, _, ...) TriggerClientEvent(name, target, ...) end

-- `source` is right until the first Wait, as in the game.
function entry.event(name, packed, from)
    local keys = {}
    for key in pairs(handlers[name] or {}) do
        table.insert(keys, key)
    end
    table.sort(keys)
    for _, key in ipairs(keys) do
        local before = source
        source = from
        spawn(handlers[name][key], serial.unpack(packed))
        source = before
    end
end

source = ""

-- exports -----------------------------------------------------------------------------------------

local exported = {}

exports = setmetatable({}, {
    __call = function(_, name, fn) exported[name] = fn end,
    __index = function(_, resource)
        return setmetatable({}, {
            __index = function(_, name)
                return function(_, ...)
                    return results_of(host.call_export(resource, name, serial.pack(...)))
                end
            end,
        })
    end,
})

function entry.call_export(name, packed)
    if not exported[name] then
        return ("No such export %s in resource %s"):format(name, host.resource), nil, nil
    end
    return call(exported[name], packed)
end

-- commands ----------------------------------------------------------------------------------------

local commands = {}

function RegisterCommand(name, fn, is_restricted)
    commands[name:lower()] = fn
    host.register_command(name:lower(), is_restricted and true or false)
end

function entry.command(name, from, raw)
    local words = {}
    for word in raw:gmatch("%S+") do
        table.insert(words, word)
    end
    table.remove(words, 1)
    spawn(commands[name], from, words, raw)
end

-- HTTP --------------------------------------------------------------------------------------------

local callbacks = {}

function PerformHttpRequest(url, fn, method, data, headers, options)
    for _, value in pairs(headers or {}) do
        if type(value) ~= "string" then
            error("the values of headers must be strings", 2)
        end
    end
    local follows = not options or options.followLocation ~= false
    local names = headers and next(headers) and json.encode(headers) or "{}"
    callbacks[host.request(url, method or "GET", data or "", names, follows)] = fn
end

function PerformHttpRequestAwait(url, ...)
    local pending = promise.new()
    PerformHttpRequest(url, function(...) pending:resolve(table.pack(...)) end, ...)
    local values = await(pending)
    return table.unpack(values, 1, values.n)
end

function entry.response(number, status, body, headers, problem)
    local fn = callbacks[number]
    callbacks[number] = nil
    spawn(fn, status, body, json.decode(headers), problem)
end

local http_handler

function SetHttpHandler(fn)
    http_handler = fn
end

function entry.http_request(number, address, path, method, headers, body)
    if not http_handler then
        host.respond(number, 404, "{}", "Route " .. path .. " not found.")
        return
    end
    local status, sent_headers, parts = 200, {}, {}
    local response = {}

    function response.writeHead(code, names)
        status, sent_headers = code, names or {}
    end

    function response.write(text)
        table.insert(parts, text)
    end

    function response.send(text)
        table.insert(parts, text or "")
        local names = next(sent_headers) and json.encode(sent_headers) or "{}"
        host.respond(number, status, names, table.concat(parts))
    end

    local request = {
        address = address,
        path = path,
        method = method,
        headers = json.decode(headers),
        setDataHandler = function(fn)
            if method ~= "GET" and method ~= "HEAD" then
                spawn(fn, body)
            end
        end,
        setCancelHandler = function() end,
    }
    spawn(http_handler, request, response)
end

-- natives -----------------------------------------------------------------------------------------

for _, name in ipairs({
    "SetResourceKvp", "SetResourceKvpInt", "SetResourceKvpFloat", "SetResourceKvpNoSync",
    "SetResourceKvpIntNoSync", "SetResourceKvpFloatNoSync", "GetResourceKvpString",
    "GetResourceKvpInt", "GetResourceKvpFloat", "DeleteResourceKvp", "DeleteResourceKvpNoSync",
    "FlushResourceKvp", "StartFindKvp", "FindKvp", "EndFindKvp", "GetResourceState",
    "GetNumResources", "GetResourceByFindIndex", "GetResourceMetadata", "GetNumResourceMetadata",
    "LoadResourceFile", "SaveResourceFile", "GetPlayerName", "GetPlayerIdentifierByType",
    "GetNumPlayerIdentifiers", "GetPlayerIdentifier", "GetPlayerPed", "GetPlayerRoutingBucket", "IsPlayerAceAllowed",
    "SetConvar", "ExecuteCommand", "StartResource", "StopResource", "GetInvokingResource",
}) do
    _G[name] = host[name]
end

function GetCurrentResourceName()
    return host.resource
end

function GetGameTimer()
    return host.now()
end

function IsDuplicityVersion()
    return true
end

function GetConvar(name, default)
    return host.GetConvar(name) or default
end

function GetConvarInt(name, default)
    return math.tointeger(tonumber(host.GetConvar(name))) or default
end

function GetConvarBool(name, default)
    local value = host.GetConvar(name)
    if value == nil then
        return default
    end
    return value == "true" or value == "1"
end

function GetPlayers()
    local found = {}
    for player in host.players():gmatch("%d+") do
        table.insert(found, player)
    end
    return found
end

function GetPlayerIdentifiers(player)
    local found = {}
    for place = 0, GetNumPlayerIdentifiers(player) - 1 do
        table.insert(found, GetPlayerIdentifier(player, place))
    end
    return found
end

function GetEntityCoords(entity)
    return vector3(host.coords(entity))
end

function DoesEntityExist(entity)
    return entity ~= nil and entity ~= 0
end

GlobalState = setmetatable({
    set = function(_, name, value) host.set_global_state(name, serial.pack(value)) end,
}, {
    __index = function(_, name) return serial.unpack(host.global_state(name)) end,
    __newindex = function(_, name, value) host.set_global_state(name, serial.pack(value)) end,
})

function print(...)
    local words = table.pack(...)
    for place = 1, words.n do
        words[place] = tostring(words[place])
    end
    host.print(table.concat(words, "\t"))
end

local now = os.time

os = {
    clock = os.clock,
    date = os.date,
    difftime = os.difftime,
    -- By the test's clock: seconds since 1970.
    time = function(parts) return parts and now(parts) or math.floor(host.unix_time()) end,
}
io, require, package, dofile, loadfile, python = nil, nil, nil, nil, nil, nil

function entry.run(source_text, name)
    local chunk, problem = load(source_text, name, "t")
    if not chunk then
        host.report_error(problem)
        return
    end
    spawn(chunk)
end

return entry
