-- KEYS: 1 the lease
-- ARGV: 1 the token of the lease, 2 the lease's length in milliseconds

if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
