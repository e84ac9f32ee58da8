-- What can be changed. The address, the token and the push secret are convars, in server.cfg.
Config = {
    -- 'en' or 'de'; nil follows the convar ox:locale.
    language = nil,

    -- Which events of the bot come into the game as 'cad-sentinel:<event>': 'all', or for example
    -- 'alerts,drone-dispatched'. docs/protocol.md has them all.
    events = 'all',

    -- At the start, say so if the bot is of another version than this resource.
    check_version = true,

    -- Who does what people ask of the CAD in Discord, if the bot has no API key of the CAD:
    -- 'sonorancad', Sonoran's own resource; 'event', a script of yours (see the README); or false.
    cad_requests = 'sonorancad',

    -- How many messages may wait for the bot. Further ones are refused, and the console says so.
    most_waiting = 50000,

    -- Each works by itself as soon as the resource of its name is started; false switches it off.
    -- A table switches it on and is what the adapter's own file describes.
    adapters = {
        -- ['ps-dispatch'] = { codes = { 'houserobbery', 'storerobbery' } },
        -- ['ox_doorlock'] = { doors = { ['villa gate'] = 12 } },
        -- ['ox_inventory'] = false,
    },
}
