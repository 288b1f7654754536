-- Walks, scans of a path and loads: records by their places in an index, in one request.

local base = KEYS[1]
local what, t = take(), T[take()]
-- Whoever asked asks again: what is over must be in no page and in no total.
if expire(base, t) then return 'more' end

-- The asked columns of a record, the version first, or nil if it is not there.
local function record(from, key, columns)
  local found = redis.call('HMGET', record_key(base, from, key), unpack(columns))
  return found[1] and found or nil
end

local function size(found)
  local bytes = 0
  for _, value in ipairs(found) do bytes = bytes + (value and #value or 0) end
  return bytes
end

local function walk(x, prefix, backwards, limit, after, skip, columns)
  local name = index_key(base, t, x)
  local low, high = bounds(prefix)
  local found, last = {}, ''
  if after ~= '' then
    if backwards then high = '(' .. after else low = '(' .. after end
  end
  while true do
    local wanted = limit - #found + 1
    local members
    if backwards then
      members = redis.call('ZREVRANGEBYLEX', name, high, low, 'LIMIT', skip, wanted)
    else
      members = redis.call('ZRANGEBYLEX', name, low, high, 'LIMIT', skip, wanted)
    end
    for _, each in ipairs(members) do
      if #found == limit then return last, found end
      found[#found + 1] = record(t, key_of(x, each, #prefix), columns)
      last = each
    end
    if #members < wanted then return '', found end
    skip = 0
    if backwards then high = '(' .. last else low = '(' .. last end
  end
end

if what == 'walk' then
  local x, prefix, backwards, limit, after = t.x[number()], take(), take() == '1', number(), take()
  local skip, total, columns = number(), take(), list()
  local count = -1
  if total == '1' then
    if prefix == '' then
      count = redis.call('ZCARD', index_key(base, t, x))
    else
      count = redis.call('ZLEXCOUNT', index_key(base, t, x), bounds(prefix))
    end
  end
  local last, found = walk(x, prefix, backwards, limit, after, skip, columns)
  return {count, last, found}
end

if what == 'scan' then
  local x, prefixes, budget, columns = t.x[number()], list(), number(), list()
  local found, keys = {}, {}
  for _, prefix in ipairs(prefixes) do
    for _, each in ipairs(redis.call('ZRANGEBYLEX', index_key(base, t, x), bounds(prefix))) do
      local key = key_of(x, each, #prefix)
      if budget > 0 then
        local one = record(t, key, columns)
        if one then
          found[#found + 1] = one
          budget = budget - 200 - size(one)
        end
      else
        keys[#keys + 1] = key
      end
    end
  end
  return {found, keys}
end

-- A record and the records of another table that name it, all or the last of an order with those that tie.
local key, columns = take(), list()
local children, place, limit, wanted = T[take()], number(), number(), list()
if expire(base, children) then return 'more' end
local own = record(t, key, columns)
if not own then return false end
local x = children.x[place]
local low, high = bounds(key)
local found, previous = {}, nil
local members
if limit < 0 then
  members = redis.call('ZRANGEBYLEX', index_key(base, children, x), low, high)
else
  members = redis.call('ZREVRANGEBYLEX', index_key(base, children, x), high, low)
end
for _, each in ipairs(members) do
  local child = key_of(x, each, #key)
  local order = each:sub(1, #each - #child)
  if limit >= 0 and #found >= limit and order ~= previous then break end
  previous = order
  found[#found + 1] = record(children, child, wanted)
end
return {own, found}
