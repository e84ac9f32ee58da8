-- The queue of messages for the bot, in the server's key-value store: each is on disk before its key
-- is returned.
--
--   epoch        part of each message's key, drawn anew when the store was lost
--   last         the number of the newest message
--   s:<number>   a message: {key, at, type, data} or {key, at, push}
--   d:<number>   a message that the bot refused, with `status` and `problem`

Spool = {}

local RESOURCE = GetCurrentResourceName()
local MARKER = 'epoch.txt' -- outside of the store, so that its loss is noticed
local MOST_REFUSED = 100

local most_waiting = tonumber(Config.most_waiting) or 50000
local epoch
local last = 0
local waiting = {} -- numbers, in order, from `head` on
local head = 1
local keys = {} -- numbers of the waiting messages, by key
local stored_at = {} -- by number, in milliseconds of the game's timer; only since this start
local refused = {} -- numbers, in order
local unwritten = {} -- refused messages for which the disk had no space, by number

Spool.is_full = false

local function name_of(prefix, number)
    return ('%s:%012d'):format(prefix, number)
end

local function numbers_of(prefix)
    local found = {}
    local handle = StartFindKvp(prefix .. ':')
    if handle == -1 then
        Say('store_busy')
        return found
    end
    local name = FindKvp(handle)
    while name do
        found[#found + 1] = math.tointeger(tonumber(name:sub(#prefix + 2)))
        name = FindKvp(handle)
    end
    EndFindKvp(handle)
    table.sort(found)
    return found
end

local function decode(text)
    local is_decoded, message = pcall(json.decode, text or '')
    return is_decoded and type(message) == 'table' and message or nil
end

local function read(prefix, number)
    return decode(GetResourceKvpString(name_of(prefix, number)))
end

-- Stores a text; returns whether it is there, as the store does not report a full disk.
local function write(name, text)
    SetResourceKvp(name, text)
    return GetResourceKvpString(name) == text
end

local function draw_epoch()
    local address = tonumber(tostring({}):match('0x(%x+)') or '0', 16)
    math.randomseed(os.time(), address ~ math.floor(GetGameTimer()))
    return ('%x%08x'):format(os.time(), math.random(0, 0xffffffff))
end

-- Reads what an earlier start has left.
function Spool.open()
    epoch = GetResourceKvpString('epoch')
    if not epoch then
        if LoadResourceFile(RESOURCE, MARKER) then
            Say('store_lost')
        end
        epoch = draw_epoch()
        SetResourceKvp('epoch', epoch)
        pcall(SaveResourceFile, RESOURCE, MARKER, epoch, -1) -- a folder may be read-only
    end
    refused = numbers_of('d')
    local is_refused = {}
    for _, number in ipairs(refused) do
        is_refused[number] = true
    end
    for _, number in ipairs(numbers_of('s')) do
        if is_refused[number] then
            DeleteResourceKvp(name_of('s', number)) -- a crash came in between
        else
            waiting[#waiting + 1] = number
        end
    end
    last = math.tointeger(tonumber(GetResourceKvpString('last') or 0))
    last = math.max(last, waiting[#waiting] or 0, refused[#refused] or 0)
    for _, number in ipairs(waiting) do
        local message = read('s', number)
        if message then
            keys[message.key] = number
        end
    end
end

function Spool.waiting()
    return #waiting - head + 1
end

function Spool.refused()
    return #refused
end

local function is_equal(one, other)
    if type(one) ~= 'table' or type(other) ~= 'table' then
        return one == other
    end
    for name, value in pairs(one) do
        if not is_equal(value, other[name]) then
            return false
        end
    end
    for name in pairs(other) do
        if one[name] == nil then
            return false
        end
    end
    return true
end

-- What `Spool.put` returns for a message whose key is queued already: it is stored once.
local function answer_again(message)
    local stored = read('s', keys[message.key])
    if stored and stored.type == message.type and is_equal(stored.data, message.data) then
        return message.key
    end
    return nil, Text('key_taken')
end

-- Stores a message and returns its key; or nil and why not.
function Spool.put(message)
    if message.data and not next(message.data) then
        message.data = nil -- an empty table would be sent as a list
    end
    if message.key and keys[message.key] then
        return answer_again(message)
    elseif Spool.waiting() >= most_waiting then
        Say('spool_full', most_waiting)
        return nil, Text('spool_full', most_waiting)
    end
    last = last + 1
    local number = last
    message.key = message.key or ('%s-%d'):format(epoch, number)
    message.at = message.at or os.time()
    local done, text = pcall(json.encode, message)
    if not done then
        return nil, Text('not_json')
    elseif text:find('\0', 1, true) then
        return nil, Text('has_nul')
    end
    SetResourceKvpNoSync('last', tostring(number))
    Spool.is_full = not write(name_of('s', number), text)
    if Spool.is_full then
        DeleteResourceKvp(name_of('s', number))
        Say('disk_full')
        return nil, Text('disk_full')
    end
    waiting[#waiting + 1] = number
    keys[message.key] = number
    stored_at[number] = GetGameTimer()
    return message.key
end

-- The oldest messages: at least one, if there is any, and not many more bytes than `most_bytes`.
function Spool.oldest(most, most_bytes)
    local found, bytes = {}, 0
    local place = head
    while waiting[place] and #found < most and bytes < most_bytes do
        local number = waiting[place]
        local text = GetResourceKvpString(name_of('s', number))
        local message = decode(text)
        if message then
            message.number = number
            bytes = bytes + #text
            found[#found + 1] = message
            place = place + 1
        elseif place == head then
            head = head + 1 -- the store was lost while this runs
            place = head
            Say('store_lost')
        else
            break
        end
    end
    return found
end

-- Seconds since a message was stored: by the game's timer, or by the clock for an earlier start.
function Spool.age(message)
    if stored_at[message.number] then
        return (GetGameTimer() - stored_at[message.number]) / 1000
    end
    return math.max(0, os.time() - message.at)
end

local function take(message)
    local place = head
    while waiting[place] and waiting[place] ~= message.number do
        place = place + 1
    end
    if not waiting[place] then
        return
    elseif place == head then
        waiting[head] = false -- nil would break the list; it is emptied below
        head = head + 1
    else
        table.remove(waiting, place)
    end
    if head > #waiting then
        waiting, head = {}, 1
    end
    keys[message.key] = nil
    stored_at[message.number] = nil
end

-- Deletes a message that the bot has.
function Spool.remove(message)
    take(message)
    DeleteResourceKvp(name_of('s', message.number))
end

local function read_refused(number)
    return unwritten[number] or read('d', number)
end

local function forget_refused(number)
    DeleteResourceKvp(name_of('d', number))
    if unwritten[number] then
        unwritten[number] = nil
        DeleteResourceKvp(name_of('s', number))
    end
end

-- Puts a refused message aside; only the last hundred are kept. On a full disk it stays where it is,
-- and is sent once more after a restart.
function Spool.refuse(message, status, problem)
    message.status, message.problem = status, problem
    take(message)
    refused[#refused + 1] = message.number
    if write(name_of('d', message.number), json.encode(message)) then
        DeleteResourceKvp(name_of('s', message.number))
    else
        Say('disk_full')
        unwritten[message.number] = message
    end
    if #refused > MOST_REFUSED then
        forget_refused(table.remove(refused, 1))
    end
end

-- The refused messages, oldest first.
function Spool.refused_messages()
    local found = {}
    for _, number in ipairs(refused) do
        found[#found + 1] = read_refused(number)
    end
    return found
end

-- Queues the refused messages once more, behind what waits; returns how many.
function Spool.retry_refused()
    local count = 0
    while refused[1] do
        local message = read_refused(refused[1])
        if message then
            message.status, message.problem, message.number = nil, nil, nil
            if not Spool.put(message) then
                break
            end
            count = count + 1
        end
        forget_refused(table.remove(refused, 1))
    end
    return count
end

-- Throws the refused messages away; returns how many.
function Spool.drop_refused()
    local count = #refused
    for _, number in ipairs(refused) do
        forget_refused(number)
    end
    refused = {}
    return count
end

-- Throws away all that waits; returns how many.
function Spool.drop_waiting()
    local count = Spool.waiting()
    for place = head, #waiting do
        DeleteResourceKvp(name_of('s', waiting[place]))
    end
    waiting, head, keys, stored_at = {}, 1, {}, {}
    return count
end
