-- What reading and writing have in common. The tables are described above, `KEYS` are the beginnings of the keys.

local T = setmetatable({}, {
  __index = function(made, name)
    made[name] = DESCRIBED[name]()
    return made[name]
  end
})

local at = 0

local function take()
  at = at + 1
  return ARGV[at]
end

local function number()
  return tonumber(take())
end

local function list()
  local found = {}
  for i = 1, number() do found[i] = take() end
  return found
end

-- What an index keeps of a value: a number without what tells its type, nulls as what sorts last.
local function canonical(value)
  if not value then return '~' end
  if value:byte() == 110 then return (value:match('^[^%z]*%z')) end
  return value
end

-- The values in a row, or nil if one is null: a null equals nothing.
local function joined(columns, values)
  local parts = {}
  for i, column in ipairs(columns) do
    if not values[column] then return nil end
    parts[i] = canonical(values[column])
  end
  return table.concat(parts)
end

local function index_key(base, t, x) return base .. t.name .. ':x:' .. x.name end
local function unique_key(base, t, u) return base .. t.name .. ':u:' .. u.name end
local function record_key(base, t, key) return base .. t.name .. ':r:' .. key end

local function member(x, key, values)
  local path = joined(x.path, values)
  if not path or not x.by then return path and path .. key end
  return path .. canonical(values[x.by] or (x.fallback and values[x.fallback])) .. key
end

-- The key at the end of a member whose path takes `from` bytes.
local function key_of(x, found, from)
  if x.by then
    if found:byte(from + 1) == 126 then
      from = from + 1
    else
      from = found:find('%z[^\255]', from + 1)
    end
  end
  return found:sub(from + 1)
end

local function bounds(prefix)
  if prefix == '' then return '-', '+' end
  return '[' .. prefix, '(' .. prefix .. '\255'
end

local function unique_values(u, values)
  for column, null in pairs(u.where) do
    if (not values[column]) ~= null then return nil end
  end
  return joined(u.columns, values)
end

-- Milliseconds; the same all through a script, for what expires too.
local function clock()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

-- Take back the entries of a record that is gone by itself: its time was over.
local function forget(base, t, key)
  local kept = base .. t.name .. ':m'
  for _, entry in ipairs(cjson.decode(redis.call('HGET', kept, key) or '[]')) do
    local name = base .. t.name .. entry[2]
    -- Somebody else may have taken the unique values since.
    if entry[1] == 'ZREM' or redis.call('HGET', name, entry[3]) == key then redis.call(entry[1], name, entry[3]) end
  end
  redis.call('HDEL', kept, key)
  redis.call('ZREM', base .. t.name .. ':e', key)
end

local ENDED = 1000
local ends = {}

-- Whether records of a table may end by themselves: those of today, or those of a `ttl` that was configured once.
local function ending(base, t)
  if t.ttl then return true end
  local name = base .. t.name .. ':e'
  if ends[name] == nil then ends[name] = redis.call('EXISTS', name) == 1 end
  return ends[name]
end

-- The same for those whose time is over, before anyone looks at what they left: for so many that nobody else waits long.
-- Answers whether there may be more.
local function expire(base, t)
  if not ending(base, t) then return false end
  local kept, cleared = base .. t.name .. ':e', false
  local over = redis.call('ZRANGEBYSCORE', kept, '-inf', clock(), 'LIMIT', 0, ENDED)
  for _, key in ipairs(over) do
    local last = redis.call('PTTL', record_key(base, t, key))
    if last == -2 then forget(base, t, key) end
    if last == -1 then redis.call('ZREM', kept, key) end
    cleared = cleared or last < 0
  end
  return cleared and #over == ENDED
end
