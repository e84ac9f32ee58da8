-- Keeps the bot's properties as the houses of a housing script are: where they stand, whose they are,
-- who has a key. What differs from what was reported last is reported, whichever way it came about.
--
--   h:<resource>:<id>   a house as it was reported: {id, location, x, y, owner, allowed}

Houses = {}

local MOST_REPORTS = 20 -- at once; each waits for the disk
local BREATH = 100 -- milliseconds until the next ones
local SETTLED = 1000 -- milliseconds until a script has stored what it is asked for
local GONE = 60000 -- milliseconds for which a house must be missing to count as removed
local AT_THE_DOOR = 50 -- metres: also an open interior is one place

local every = {} -- what `Houses.of` has made, by resource

local function distance(a, b)
    return math.sqrt((a.x - b.x) ^ 2 + (a.y - b.y) ^ 2)
end

local function is_placed(house)
    return house.x ~= 0 or house.y ~= 0
end

local function stored_houses(prefix)
    local names, found = {}, {}
    local handle = StartFindKvp(prefix)
    local name = handle ~= -1 and FindKvp(handle)
    while name do
        names[#names + 1] = name
        name = FindKvp(handle)
    end
    EndFindKvp(handle)
    for _, key in ipairs(names) do
        local house = Database.json(GetResourceKvpString(key))
        if house.id then
            found[house.id] = house
        end
    end
    return found
end

-- What the bot is to know of a house, in the same form each time.
local function normal(house, resource, before)
    local position = house.position or { x = 0, y = 0 }
    local allowed = {}
    for _, user in pairs(house.allowed or {}) do
        if user ~= house.owner then
            allowed[#allowed + 1] = user
        end
    end
    table.sort(allowed)
    return {
        id = tostring(house.id),
        location = tostring(house.location or house.id):sub(1, 150),
        x = math.floor(position.x + 0.5),
        y = math.floor(position.y + 0.5),
        -- A house that has lost its owner is the script's: the one before no longer sees it.
        owner = house.owner or before and resource or nil,
        allowed = allowed,
    }
end

local function set_of(list)
    local set = {}
    for _, value in ipairs(list) do
        set[value] = true
    end
    return set
end

-- Declares the houses of an adapter's resource.
--
-- `read(done)` reads them: `done(houses)` with a list of {id, location, position, owner, allowed}, the
-- last two as user ids, `owner` nil if nobody owns it; `done(nil)` if it cannot be read now. `seconds`
-- is how often they are read in any case. `stash(name)` is the id of the house of a stash, or nil.
function Houses.of(adapter, options)
    local houses = { known = stored_houses(('h:%s:'):format(adapter.resource)) }
    local missing = {} -- since when, by id
    local is_due = false

    local function store(id, house)
        local name = ('h:%s:%s'):format(adapter.resource, id)
        houses.known[id] = house
        if house then
            SetResourceKvpNoSync(name, json.encode(house))
        else
            DeleteResourceKvpNoSync(name)
        end
    end

    -- Reports what differs, and returns whether it is all on disk, and how many reports that took.
    local function report(house, before)
        local property, reports = adapter.property(house.id), {}
        local is_new_owner = not before or before.owner ~= house.owner
        if is_new_owner or before.location ~= house.location or distance(before, house) >= 1 then
            reports[1] = {
                'PutProperty',
                { location = house.location, position = house, owner = house.owner },
            }
        end
        -- With its owner the list of who else may enter has changed hands.
        local had = set_of(is_new_owner and {} or before.allowed)
        local has = set_of(house.allowed)
        for user in pairs(has) do
            if not had[user] then
                reports[#reports + 1] = { 'Allow', { user = user } }
            end
        end
        for user in pairs(had) do
            if not has[user] then
                reports[#reports + 1] = { 'Disallow', { user = user } }
            end
        end
        for _, one in ipairs(reports) do
            one[2].property = property
            if not adapter.report(one[1], one[2]) then
                return false, #reports
            end
        end
        return true, #reports
    end

    local function remove_missing(found)
        for id in pairs(houses.known) do
            if found[id] or next(found) == nil then -- nothing at all: the script is still loading
                missing[id] = nil
            elseif not missing[id] then
                missing[id] = GetGameTimer()
                SetTimeout(GONE, houses.look)
            elseif GetGameTimer() - missing[id] >= GONE then
                local given = { property = adapter.property(id), reason = Text('house_removed') }
                if adapter.report('RemoveProperty', given) then
                    missing[id] = nil
                    store(id, nil)
                end
            end
        end
    end

    local function compare(list)
        local count = 0
        for id, house in pairs(list) do
            local before = houses.known[id]
            house = normal(house, adapter.resource, before)
            if house.owner then
                local is_kept, reports = report(house, before)
                if reports > 0 and is_kept then
                    store(id, house)
                end
                count = count + reports
                list[id] = nil
                if not is_kept then
                    return
                elseif count >= MOST_REPORTS then
                    SetTimeout(BREATH, adapter.callback(function() compare(list) end))
                    return
                end
            end
        end
    end

    local function read()
        is_due = false
        options.read(adapter.callback(function(list)
            if not list then
                return
            end
            local found = {}
            for _, house in ipairs(list) do
                found[tostring(house.id)] = house
            end
            remove_missing(found)
            compare(found)
        end))
    end

    -- Reads the houses again in a moment, as something may have changed; after so many milliseconds
    -- if the script needs longer.
    function houses.look(milliseconds)
        if milliseconds then
            adapter.verify_later(milliseconds, read)
        elseif not is_due then
            is_due = true
            SetTimeout(SETTLED, function()
                is_due = false
                if adapter.is_started() then
                    adapter.callback(read)()
                end
            end)
        end
    end

    -- Whether a player owns a house or has a key.
    function houses.has_key(house, player)
        local user = adapter.user(player)
        return user ~= nil and (house.owner == user or set_of(house.allowed)[user] == true)
    end

    -- The house of an id if a player stands at it, or if nobody knows where it is.
    function houses.at(player, id)
        local house = houses.known[tostring(id)]
        local position = house and adapter.position(player)
        if position and (not is_placed(house) or distance(position, house) <= AT_THE_DOOR) then
            return house
        end
    end

    -- The house at which a player stands, or in it, that they have a key of.
    function houses.of_key_holder(player)
        for id, house in pairs(houses.known) do
            if is_placed(house) and houses.at(player, id) and houses.has_key(house, player) then
                return house
            end
        end
    end

    -- Forgets what was reported, so that all of it is reported again; returns how many houses.
    function houses.forget()
        local count = 0
        for id in pairs(houses.known) do
            store(id, nil)
            count = count + 1
        end
        houses.look()
        return count
    end

    -- Reports that a player at a house wants to enter: with a key, or in vain.
    function houses.scan(player, id, method)
        local house = houses.at(player, id)
        if not house then
            return
        end
        adapter.verify_later(500, function()
            local has_key = houses.has_key(house, player)
            adapter.report('BadgeScan', {
                property = adapter.property(house.id),
                user = player,
                allowed = has_key,
                method = method or 'key',
                reason = not has_key and Text('no_key') or nil,
            })
        end)
    end

    houses.stash = options.stash or function() end
    every[adapter.resource] = houses
    adapter.on_start(function() houses.look() end)
    local function again()
        if adapter.is_started() then
            houses.look()
        end
        SetTimeout(options.seconds * 1000, again)
    end
    SetTimeout(options.seconds * 1000, again)
    return houses
end

-- Reports all houses of all scripts again, as after a loss of the bot's database; returns how many.
function Houses.report_again()
    local count = 0
    for _, houses in pairs(every) do
        count = count + houses.forget()
    end
    return count
end

-- The property nearest to a position, as {source, id}, and where it is; nil if none is that near.
function Houses.near(position, metres)
    local nearest
    for resource, houses in pairs(every) do
        for id, house in pairs(houses.known) do
            local away = is_placed(house) and distance(position, house) or metres + 1
            if away <= metres then
                nearest, metres = { source = resource, id = id }, away
            end
        end
    end
    return nearest
end

-- The property that a stash belongs to, as {source, id}; nil if it is no house's.
function Houses.of_stash(name)
    for resource, houses in pairs(every) do
        local id = houses.stash(name)
        if id and houses.known[tostring(id)] then
            return { source = resource, id = tostring(id) }
        end
    end
end

local may_ring = Players.limiter(60000) -- for each house and place

-- Reports a break-in: an alarm at the property, or at the house nearest to the position, and a crime.
function Houses.break_in(adapter, position, text, property)
    property = property or Houses.near(position, AT_THE_DOOR)
    local place = property and json.encode(property)
        or ('%d %d'):format(position.x // AT_THE_DOOR, position.y // AT_THE_DOOR)
    if not may_ring(place) then
        return
    end
    if property then
        -- Not the burglar: the police are not to know more than the house does.
        adapter.report('Alarm', { property = property, user = adapter.resource, note = text })
    end
    adapter.report('Crime', {
        property = property,
        description = position and ('%s (%d, %d)'):format(text, position.x // 1, position.y // 1)
            or text,
    })
end
