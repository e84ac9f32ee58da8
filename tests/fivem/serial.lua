-- Values as text: JSON as FXServer's scripts see it, and the copies that cross from one resource to
-- another. `functions` makes a reference of a function, and a function of a reference.

local functions = ...
local M = {}

local MOST_DEEP = 100

-- vectors -----------------------------------------------------------------------------------------

local vector_mt = {}
vector_mt.__index = vector_mt

function M.vector3(x, y, z)
    return setmetatable({ x = x + 0.0, y = y + 0.0, z = z + 0.0 }, vector_mt)
end

function vector_mt.__sub(a, b)
    return M.vector3(a.x - b.x, a.y - b.y, a.z - b.z)
end

function vector_mt.__add(a, b)
    return M.vector3(a.x + b.x, a.y + b.y, a.z + b.z)
end

function vector_mt.__len(v)
    return math.sqrt(v.x ^ 2 + v.y ^ 2 + v.z ^ 2)
end

function vector_mt.__eq(a, b)
    return a.x == b.x and a.y == b.y and a.z == b.z
end

-- JSON --------------------------------------------------------------------------------------------

local json = {}
M.json = json

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function quote(text)
    return '"'
        .. text:gsub('[%c"\\\127]', function(c)
            return ESCAPES[c] or ("\\u%04x"):format(c:byte())
        end)
        .. '"'
end

local function is_list(value)
    local count = 0
    for key in pairs(value) do
        if math.type(key) ~= "integer" or key < 1 then
            return false
        end
        count = count + 1
    end
    return count == #value -- also of an empty table, which so becomes []
end

local function encode(value, depth)
    local kind = type(value)
    if value == nil then
        return "null"
    elseif kind == "boolean" then
        return tostring(value)
    elseif kind == "string" then
        return quote(value)
    elseif kind == "number" then
        if math.type(value) == "integer" then
            return tostring(value)
        elseif value ~= value or value == math.huge or value == -math.huge then
            error("NaN and infinities cannot be encoded as JSON", 0)
        end
        local text = ("%.17g"):format(value)
        return text:find("[.e]") and text or text .. ".0"
    elseif kind ~= "table" then
        error(("a %s cannot be encoded as JSON"):format(kind), 0)
    elseif depth > MOST_DEEP then
        error("the table is nested too deeply", 0)
    end
    local parts = {}
    if is_list(value) then
        for place, item in ipairs(value) do
            parts[place] = encode(item, depth + 1)
        end
        return "[" .. table.concat(parts, ",") .. "]"
    end
    for key, item in pairs(value) do
        parts[#parts + 1] = quote(tostring(key)) .. ":" .. encode(item, depth + 1)
    end
    table.sort(parts)
    return "{" .. table.concat(parts, ",") .. "}"
end

function json.encode(value)
    return encode(value, 0)
end

local UNESCAPED = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local decode

local function fail(place, problem)
    error({ place = place, problem = problem }, 0)
end

local function skip(text, place)
    return text:find("[^ \t\r\n]", place) or #text + 1
end

local function decode_string(text, place)
    local parts = {}
    place = place + 1
    while true do
        local stop = text:find('["\\]', place)
        if not stop then
            fail(place, "a string has no end")
        end
        parts[#parts + 1] = text:sub(place, stop - 1)
        if text:sub(stop, stop) == '"' then
            return table.concat(parts), stop + 1
        end
        local code = text:sub(stop + 1, stop + 1)
        place = stop + 2
        if code == "u" then
            local unit = tonumber(text:match("^%x%x%x%x", place) or fail(place, "\\u"), 16)
            place = place + 4
            local low = text:match("^\\u([dD][c-fC-F]%x%x)", place)
            if unit >= 0xD800 and unit < 0xDC00 and low then
                unit = 0x10000 + ((unit - 0xD800) << 10) + tonumber(low, 16) - 0xDC00
                place = place + 6
            end
            parts[#parts + 1] = utf8.char(unit)
        else
            parts[#parts + 1] = UNESCAPED[code] or code
        end
    end
end

local function decode_members(text, place, close, read)
    place = skip(text, place + 1)
    if text:sub(place, place) == close then
        return place + 1
    end
    while true do
        place = skip(text, read(place))
        local sign = text:sub(place, place)
        if sign == close then
            return place + 1
        elseif sign ~= "," then
            fail(place, "expected , or " .. close)
        end
        place = skip(text, place + 1)
    end
end

local LITERALS = { ["true"] = true, ["false"] = false }

function decode(text, place, depth)
    place = skip(text, place)
    local sign = text:sub(place, place)
    if depth > MOST_DEEP then
        fail(place, "nested too deeply")
    elseif sign == "{" then
        local found = {}
        local stop = decode_members(text, place, "}", function(at)
            if text:sub(at, at) ~= '"' then
                fail(at, "expected a name")
            end
            local key, after = decode_string(text, at)
            after = skip(text, after)
            if text:sub(after, after) ~= ":" then
                fail(after, "expected :")
            end
            found[key], after = decode(text, after + 1, depth + 1)
            return after
        end)
        return found, stop
    elseif sign == "[" then
        local found, count = {}, 0
        local stop = decode_members(text, place, "]", function(at)
            count = count + 1
            local after
            found[count], after = decode(text, at, depth + 1)
            return after
        end)
        return found, stop
    elseif sign == '"' then
        return decode_string(text, place)
    end
    local word = text:match("^%l+", place)
    if word == "true" or word == "false" or word == "null" then
        return LITERALS[word], place + #word
    end
    local number = text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", place)
    local value = number and tonumber(number)
    if not value then
        fail(place, "not JSON")
    end
    return value, place + #number
end

-- As lua-rapidjson: nil, the place and the problem where the text is not JSON.
function json.decode(text)
    if type(text) ~= "string" then
        error("json.decode takes a string", 2)
    end
    local done, value, stop = pcall(decode, text, 1, 0)
    if not done then
        return nil, value.place, value.problem
    elseif skip(text, stop) <= #text then
        return nil, stop, "more after the end"
    end
    return value
end

-- copies ------------------------------------------------------------------------------------------

local pack_value

local function pack_table(value, out, depth)
    if getmetatable(value) == vector_mt then
        out[#out + 1] = "v" .. string.pack("<ddd", value.x, value.y, value.z)
        return
    end
    local count, start = 0, #out + 1
    out[start] = ""
    for key, item in pairs(value) do
        pack_value(key, out, depth + 1)
        pack_value(item, out, depth + 1)
        count = count + 1
    end
    out[start] = "t" .. string.pack("<I4", count)
end

function pack_value(value, out, depth)
    local kind = type(value)
    if depth > MOST_DEEP then
        error("the table is nested too deeply", 0)
    elseif value == nil then
        out[#out + 1] = "n"
    elseif kind == "boolean" then
        out[#out + 1] = value and "T" or "F"
    elseif kind == "string" then
        out[#out + 1] = "s" .. string.pack("<s4", value)
    elseif math.type(value) == "integer" then
        out[#out + 1] = "i" .. string.pack("<i8", value)
    elseif kind == "number" then
        out[#out + 1] = "d" .. string.pack("<d", value)
    elseif functions and functions.reference(value) then
        out[#out + 1] = "f" .. string.pack("<s4", functions.reference(value))
    elseif kind == "table" then
        pack_table(value, out, depth)
    else
        error(("a %s cannot be given to another resource"):format(kind), 0)
    end
end

function M.pack(...)
    local values = table.pack(...)
    local out = { string.pack("<I4", values.n) }
    for place = 1, values.n do
        pack_value(values[place], out, 0)
    end
    return table.concat(out)
end

local function unpack_value(text, place)
    local kind = text:sub(place, place)
    place = place + 1
    if kind == "n" then
        return nil, place
    elseif kind == "T" or kind == "F" then
        return kind == "T", place
    elseif kind == "s" then
        return string.unpack("<s4", text, place)
    elseif kind == "i" then
        return string.unpack("<i8", text, place)
    elseif kind == "d" then
        return string.unpack("<d", text, place)
    elseif kind == "v" then
        local x, y, z, after = string.unpack("<ddd", text, place)
        return M.vector3(x, y, z), after
    elseif kind == "f" then
        local reference, after = string.unpack("<s4", text, place)
        return functions and functions.from_reference(reference) or reference, after
    end
    local count, found, key = nil, {}, nil
    count, place = string.unpack("<I4", text, place)
    for _ = 1, count do
        key, place = unpack_value(text, place)
        found[key], place = unpack_value(text, place)
    end
    return found, place
end

function M.unpack(text)
    local count, place = string.unpack("<I4", text)
    local values = { n = count }
    for at = 1, count do
        values[at], place = unpack_value(text, place)
    end
    return table.unpack(values, 1, count)
end

-- For the test, which speaks JSON.

function M.pack_json(text, count)
    return M.pack(table.unpack(json.decode(text), 1, count))
end

function M.unpack_json(packed)
    local values = table.pack(M.unpack(packed))
    local parts = {}
    for place = 1, values.n do
        parts[place] = json.encode(values[place])
    end
    return "[" .. table.concat(parts, ",") .. "]"
end

return M
