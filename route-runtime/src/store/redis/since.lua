
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
}
