-- The history of the record: the word of each number that it gave, as far as it remembers.

local REMEMBERED = 65536

local function text(number)
  return string.format('%.0f', number)
end

local function slot(number)
  return number % REMEMBERED * 8
end

local function word_of(words, number)
  return redis.call('GETRANGE', words, slot(number), slot(number) + 7)
end

-- Judges a mark: 'known', 'unknown', or 'old' if that cannot be told any more.
local function judge(words, last, from, number, word)
  if number == 0 then
    return 'known'
  elseif number > last then
    return 'unknown'
  elseif number <= last - REMEMBERED or number < from then
    return 'old'
  end
  return word_of(words, number) == word and 'known' or 'unknown'
end
