-- What people read, in their language: locales/<language>.json, English where it has nothing.

local function read(language)
    local file = LoadResourceFile(GetCurrentResourceName(), ('locales/%s.json'):format(language))
    return file and json.decode(file) or {}
end

local english = read('en')
local texts = read(Config.language or GetConvar('ox:locale', 'en'):sub(1, 2):lower())

-- The text of a name, with its blanks filled in as by string.format.
function Text(name, ...)
    return (texts[name] or english[name]):format(...)
end

-- Prints a text, at most once a minute if it is the same one again and again.
local printed_at = {}

function Say(name, ...)
    local text = Text(name, ...)
    local now = GetGameTimer()
    if printed_at[name] and now - printed_at[name] < 60000 then
        return
    end
    printed_at[name] = now
    print(text)
end
