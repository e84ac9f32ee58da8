-- What people read, in their language: locales/<language>.json, English where it has nothing.

local function read(language)
    local file = LoadResourceFile(GetCurrentResourceName(), ('locales/%s.json'):format(language))
    local is_read, found = pcall(json.decode, file or '')
    return is_read and type(found) == 'table' and found or {}
end

local english = read('en')
local chosen = Config.language or GetConvar('ox:locale', 'en'):sub(1, 2):lower()
local texts = read(tostring(chosen))

-- The text of a name, with its blanks filled in as by string.format, in one line whatever they hold.
function Text(name, ...)
    return ((texts[name] or english[name]):format(...):gsub('%c', ' '))
end

-- Prints a text, at most once a minute about the same thing: its first blank. Returns the text.
local printed_at = {}

function Say(name, about, ...)
    local text, thing, now = Text(name, about, ...), name .. tostring(about), GetGameTimer()
    if not printed_at[thing] or now - printed_at[thing] >= 60000 then
        printed_at[thing] = now
        print(text)
    end
    return text
end
