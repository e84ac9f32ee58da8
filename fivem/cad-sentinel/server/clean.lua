-- What other resources give, made fit for JSON.

local MOST_DEEP = 16

-- Names of players and the like are not always UTF-8, and the bot takes nothing else.
local function utf8_of(text)
    return utf8.len(text) and text or text:gsub('[\128-\255]', '?')
end

local function clean(value, depth)
    local kind = type(value)
    if kind == 'string' then
        return (utf8_of(value))
    elseif kind == 'number' and (value ~= value or math.abs(value) == math.huge) then
        error('not a number')
    elseif kind ~= 'table' then
        return value
    elseif depth == MOST_DEEP then
        error('nested too deeply, or within itself')
    end
    local copy = {}
    for name, of_it in pairs(value) do
        copy[clean(name, depth)] = clean(of_it, depth + 1)
    end
    return copy
end

-- Returns a copy of a value in which all texts are UTF-8; nil and why if it cannot be JSON.
function Clean(value)
    local is_clean, copy = pcall(clean, value, 0)
    if is_clean then
        return copy
    end
    return nil, Text('not_json')
end
