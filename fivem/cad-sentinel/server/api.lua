-- The exports. Those that report something return its key once it is on disk, or nil and why not;
-- the bot gets it as soon as it can. The same key again has no second effect.

Api = {}

local MOST_KEY = 128

-- Each takes a field into the data of a query, and returns why it cannot.

-- An id as a text, '17' for 17.0 too; nil if it is none.
local function id_of(value)
    if type(value) == 'number' then
        return tostring(math.tointeger(value) or value)
    end
    return type(value) == 'string' and value or nil
end

local function take_external(data, property)
    local source = type(property) == 'table' and id_of(property.source)
    local id = source and id_of(property.id)
    if not id then
        return Text('no_external')
    end
    data.external = { source = source, id = id }
end

local function take_property(data, property)
    if type(property) == 'table' then
        return take_external(data, property)
    elseif type(property) == 'number' or type(property) == 'string' then
        data.propertyId = property
    else
        return Text('no_property')
    end
end

local function user_as(name)
    return function(data, user)
        local why
        data[name], why = Players.user(user)
        return why
    end
end

local function as(name)
    return function(data, value)
        if type(value) == 'string' and value:find('\0', 1, true) then
            return Text('has_nul')
        end
        data[name] = value
    end
end

local function take_position(data, position)
    local done, x, y = pcall(function() return position.x + 0.5, position.y + 0.5 end)
    if not done then
        return Text('bad_position')
    end
    data.x, data.y = math.floor(x), math.floor(y)
    if type(position.z) == 'number' then
        data.position = { x = position.x, y = position.y, z = position.z }
    end
end

local PROPERTY = { 'property', take_property, true }
local USER = { 'user', user_as('userId'), true }

-- Of each export: its query, and its fields as {name, what takes it into the data, is it needed}.
local REPORTS = {
    Alarm = { 'add-alert', PROPERTY, USER, { 'note', as('note') } },
    Visit = { 'add-visitor', PROPERTY, USER, { 'camera', as('cameraId') } },
    BadgeScan = {
        'add-auth-entry',
        PROPERTY,
        USER,
        { 'allowed', as('allowed') },
        { 'reason', as('reason') },
        { 'method', as('method') },
    },
    Crime = {
        'add-crime',
        { 'property', take_property },
        { 'user', user_as('clientId') },
        { 'description', as('description') },
    },
    DispatchDrone = {
        'dispatch-drone',
        PROPERTY,
        { 'drone', as('droneId') },
        { 'reason', as('reason') },
    },
    RecallDrone = { 'recall-drone', { 'drone', as('droneId'), true } },
    PutProperty = {
        'put-property',
        { 'property', take_external, true },
        { 'id', as('propertyId') },
        { 'owner', user_as('owner') },
        { 'location', as('location') },
        { 'description', as('description') },
        { 'position', take_position },
        { 'x', as('x') },
        { 'y', as('y') },
        { 'width', as('width') },
        { 'height', as('height') },
        { 'tier', as('tier') },
        { 'status', as('status') },
    },
    RemoveProperty = {
        'request-remove-property',
        PROPERTY,
        { 'user', user_as('userId') },
        { 'reason', as('reason') },
    },
    Allow = { 'add-allowed-user', PROPERTY, USER },
    Disallow = { 'remove-allowed-user', PROPERTY, USER },
}

-- The protocol's own names are accepted too.
local ALIASES = {
    property = { 'external', 'propertyId' },
    user = { 'userId', 'clientId' },
    camera = { 'cameraId' },
    drone = { 'droneId' },
    position = { 'coords' },
}

local function field(given, name)
    if given[name] ~= nil then
        return given[name]
    end
    for _, alias in ipairs(ALIASES[name] or {}) do
        if given[alias] ~= nil then
            return given[alias]
        end
    end
end

local function check_key(key)
    if key == nil or (type(key) == 'string' and #key <= MOST_KEY and key:find('^[\33-\126]+$')) then
        return nil
    end
    return Text('bad_key', MOST_KEY)
end

-- Makes the data of a query of what was given; nil and why if something is missing or wrong.
local function data_of(report, given)
    if type(given) ~= 'table' then
        return nil, Text('no_table')
    end
    local data, why = {}, nil
    for place = 2, #report do
        local name, take, is_needed = table.unpack(report[place])
        local value = field(given, name)
        if value == nil and is_needed and name ~= 'property' and name ~= 'user' then
            return nil, Text('missing', name)
        elseif value ~= nil or is_needed then
            why = take(data, value)
        end
        if why then
            return nil, why
        end
    end
    return Clean(data)
end

for name, report in pairs(REPORTS) do
    Api[name] = function(given)
        local data, why = data_of(report, given)
        why = why or check_key(given.key)
        if why then
            return nil, why
        end
        local message = { key = given.key, type = 'queries.' .. report[1], data = data }
        return Outbox.put(message)
    end
end

-- Functions of other resources are tables that can be called. An error in one is only printed.
local function call(fn, ...)
    if fn ~= nil then
        local done, problem = pcall(fn, ...)
        if not done then
            print(tostring(problem))
        end
    end
end

-- Sends the bot a query that is not queued: `done(data)`, or `done(nil, why)` within five seconds.
function Api.Ask(query, data, done)
    local message = { type = 'queries.' .. tostring(query):gsub('^queries%.', '') }
    message.data = type(data) == 'table' and next(data) and data or nil
    local is_json, body = pcall(json.encode, Clean(message))
    if not is_json or body == 'null' then
        call(done, nil, Text('not_json'))
        return
    end
    Link.request('POST', '/api/query', body, nil, function(status, frame, problem)
        if status == 200 and type(frame) == 'table' then
            call(done, frame.data or {})
        else
            call(done, nil, problem)
        end
    end)
end

-- Asks the bot for a property, by its id or by {source, id}.
function Api.GetProperty(property, done)
    local data = {}
    local why = take_property(data, property)
    if why then
        call(done, nil, why)
        return
    end
    Api.Ask('get-property', data, done)
end

function Api.Status()
    return {
        connected = Link.is_connected,
        waiting = Spool.waiting(),
        refused = Spool.refused(),
        full = Spool.is_full,
        pushes = Push.way and Text(Push.way) or nil,
        cad = Cad.way,
        problem = Settings.problem() or Link.problem or Settings.push_problem(),
        version = GetResourceMetadata(GetCurrentResourceName(), 'version', 0),
    }
end

for name, fn in pairs(Api) do
    exports(name, fn)
end
