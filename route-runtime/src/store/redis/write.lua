
-- KEYS: 1 the record, 2 the words of the numbers, 3 the entry
-- ARGV: 1 the record's name as the caller knows it, empty if it knows none, 2 a name for a record
--       that has to be made, 3 the number of the mark at which the entry's render began, 4 its word,
--       5 the entry's age in microseconds, 6 how long it is kept in milliseconds, 7 its metadata, 8
--       its body, 9 how long it is kept in milliseconds if nobody reads it
-- Returns 0 if the record does not lead to that mark.

local found = redis.call('HMGET', KEYS[1], 'name', 'last', 'absent', 'from')
local name = found[1]
local last, absent, from = tonumber(found[2] or 0), tonumber(found[3] or 0), tonumber(found[4] or 0)
local started = tonumber(ARGV[3])
if (ARGV[1] ~= '' and ARGV[1] ~= name) or started < absent
  or judge(KEYS[2], last, from, started, ARGV[4]) ~= 'known' then
  return 0
end
if not name then
  name = ARGV[2]
  redis.call('HSET', KEYS[1], 'name', name, 'last', 0, 'absents', 0, 'stales', 0, 'absent-bytes', 0,
    'stale-bytes', 0)
  redis.call('PEXPIRE', KEYS[1], 60 * 86400 * 1000)
  redis.call('DEL', KEYS[2])
end
local time = redis.call('TIME')
local created = tonumber(time[1]) * 1000000 + tonumber(time[2]) - tonumber(ARGV[5])
local there = redis.call('HMGET', KEYS[3], 'record', 'started', 'created')
if there[1] == name then
  local begun, done = tonumber(there[2] or 0) or 0, tonumber(there[3] or 0) or 0
  if begun <= last and (begun > started or (begun == started and done > created)) then
    return 1
  end
end
-- The time, in milliseconds, until which the entry is kept once it has been read.
local ends = ''
if tonumber(ARGV[9]) < tonumber(ARGV[6]) then
  ends = text(tonumber(time[1]) * 1000 + tonumber(ARGV[6]))
end
redis.call('HSET', KEYS[3], 'record', name, 'started', ARGV[3], 'word', ARGV[4], 'created',
  text(created), 'metadata', ARGV[7], 'body', ARGV[8], 'ends', ends)
redis.call('PEXPIRE', KEYS[3], ARGV[9])
return 1
