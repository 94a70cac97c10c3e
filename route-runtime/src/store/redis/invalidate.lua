
-- KEYS: 6 the one of 2 and 3 that the tags go to
-- ARGV: 8 the word of this invalidation, 9 its kind, `absent` or `stale`, 10 how many tags of this
--       kind are remembered, 11 how many bytes their names may have, 12… the tags

ready()
local kind, most, longest = ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[11])
local before = {text(last), word}
last, word = last + 1, ARGV[8]
local score = text(last)
local count, bytes = counts[kind], sizes[kind]
for number = 12, #ARGV do
  if redis.call('ZADD', KEYS[6], score, ARGV[number]) == 1 then
    count = count + 1
    bytes = bytes + #ARGV[number]
  end
end
local forgotten = kind == 'absent' and absent or stale
while count > 0 and (count > most or bytes > longest) do
  local oldest = redis.call('ZPOPMIN', KEYS[6])
  count = count - 1
  bytes = bytes - #oldest[1]
  forgotten = math.max(forgotten, tonumber(oldest[2]))
end
redis.call('HSET', KEYS[1], 'last', score, 'word', word, kind, text(forgotten), kind .. 's', count,
  kind .. '-bytes', text(bytes))
redis.call('SETRANGE', KEYS[4], slot(last), word)
keep()
redis.call('PUBLISH', ARGV[1], score)
return {name, before[1], before[2], score, word, gave_up}
