-- Runs after all other files.

Spool.open()
local name = GetCurrentResourceName()
if name ~= 'cad-sentinel' then
    print(Text('renamed', name))
end
local fault = Settings.push_problem()
if fault then
    print(fault)
end
Link.give_up_late_answers()
Adapters.start()
Events.poll() -- shows whether it is the bot that answers
Outbox.wake()
Cad.poll()
if Config.check_version ~= false then
    Link.check_version()
end
