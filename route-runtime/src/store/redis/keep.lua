
-- Keeps an entry that has been read for as long as other entries.
--
-- KEYS: 1 the entry
-- ARGV: 1 the time at which it then ends, as it was read. Another entry may have replaced it since.

if redis.call('HGET', KEYS[1], 'ends') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'ends', '')
redis.call('PEXPIREAT', KEYS[1], ARGV[1])
return 1
