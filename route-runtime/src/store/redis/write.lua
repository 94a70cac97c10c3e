
-- KEYS: 4 the entry
-- ARGV: 6 the epoch at which the entry's render began, 7 the entry's age in microseconds, 8 how
--       long it is kept in milliseconds, 9 its metadata, 10 its body

local time = redis.call('TIME')
local started = tonumber(ARGV[6])
local created = tonumber(time[1]) * 1000000 + tonumber(time[2]) - tonumber(ARGV[7])
local there = redis.call('HMGET', KEYS[4], 'record', 'started', 'created')
if there[1] == name then
  local begun, done = tonumber(there[2] or 0) or 0, tonumber(there[3] or 0) or 0
  if begun <= last and (begun > started or (begun == started and done > created)) then
    return {name, text(last)}
  end
end
redis.call('HSET', KEYS[4], 'record', name, 'started', ARGV[6], 'created', text(created),
  'metadata', ARGV[9], 'body', ARGV[10])
redis.call('PEXPIRE', KEYS[4], ARGV[8])
keep()
return {name, text(last)}
