
if redis.call('EXISTS', KEYS[5]) == 0 then
  -- Fails if the server is full. Then there is nothing to give up either.
  redis.pcall('SETRANGE', KEYS[5], RESERVE - 1, '0')
end
keep()
local above = '(' .. ARGV[4]
return {
  name,
  text(last),
  word,
  text(math.max(absent, own)),
  text(math.max(stale, own)),
  redis.call('ZRANGEBYSCORE', KEYS[2], above, '+inf', 'WITHSCORES'),
  redis.call('ZRANGEBYSCORE', KEYS[3], above, '+inf', 'WITHSCORES'),
  gave_up,
}
