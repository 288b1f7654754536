-- Rows that are staged: everything is looked at and decided before the first is written, so that a refusal leaves
-- nothing behind.

local token = take()
local rows, touched, moved, taken, doomed = {}, {}, {}, {}, {}
local versions, swept = 0, {}
local MOST = 5000

local function refuse(...)
  error({refused = {...}}, 0)
end

-- before: the columns that the indexes need, as stored, or nil. now: the same as they will be. set: what to write.
local function row(base, name, key)
  local t = T[name]
  local id = record_key(base, t, key)
  local r = rows[id]
  if r then return r end
  r = {id = id, base = base, t = t, key = key, set = {}}
  if not swept[base .. name] then
    swept[base .. name] = true
    expire(base, t)
  end
  local found = redis.call('HMGET', id, unpack(t.read))
  if found[1] then
    r.before = {}
    for i, column in ipairs(t.read) do r.before[column] = found[i] or nil end
  elseif ending(base, t) then
    forget(base, t, key)
  end
  r.now = r.before
  rows[id] = r
  touched[#touched + 1] = r
  return r
end

local function value(r, column)
  local staged = r.set[column]
  if staged ~= nil then return staged or nil end
  if r.whole or not r.before then return nil end
  return redis.call('HGET', r.id, column) or nil
end

-- All fields of a row as they are now, flat.
local function fields(r)
  local found, seen = {}, {}
  for column, each in pairs(r.set) do
    seen[column] = true
    if each then
      found[#found + 1] = column
      found[#found + 1] = each
    end
  end
  if r.before and not r.whole then
    local stored = redis.call('HGETALL', r.id)
    for i = 1, #stored, 2 do
      if not seen[stored[i]] then
        found[#found + 1] = stored[i]
        found[#found + 1] = stored[i + 1]
      end
    end
  end
  return found
end

local function holder(r, name, values)
  local staged = taken[name] and taken[name][values]
  if staged ~= nil then return staged or nil end
  local found = redis.call('HGET', name, values)
  if not found then return nil end
  if redis.call('EXISTS', record_key(r.base, r.t, found)) == 1 then return found end
  forget(r.base, r.t, found)
  return nil
end

local function stage(r, now, i)
  for _, u in ipairs(r.t.u) do
    local was = r.now and unique_values(u, r.now)
    local is = now and unique_values(u, now)
    if was ~= is then
      local name = unique_key(r.base, r.t, u)
      taken[name] = taken[name] or {}
      if was and holder(r, name, was) == r.key then taken[name][was] = false end
      if is then
        local other = holder(r, name, is)
        if other and other ~= r.key then refuse('duplicate', i, r.t.table, u.name) end
        taken[name][is] = r.key
      end
    end
  end
  if now and not r.moved then
    r.moved = true
    moved[#moved + 1] = r
  end
  r.now = now
  r.dirty = true
end

local function next_version()
  versions = versions + 1
  return token .. '.' .. versions
end

-- Write these fields: as the whole record, or over what is there (false: null).
local function write(r, set, whole, i)
  local version = next_version()
  set['@'] = version
  local now = {}
  for _, column in ipairs(r.t.read) do
    local each = set[column]
    if each == nil and not whole then each = r.now[column] end
    now[column] = each or nil
  end
  if whole then
    r.whole = true
    r.set = set
  else
    for column, each in pairs(set) do r.set[column] = each end
  end
  stage(r, now, i)
  return version
end

-- The version of a row, '' if there is none. One that this commit wrote may be another the next time, over another
-- stored row: both are named.
local function version_of(r)
  if not r.now then return '' end
  return r.dirty and r.now['@'] .. '|' .. (r.before and r.before['@'] or '') or r.now['@']
end

-- Whether an expectation holds: '' any, '-' absent, '=' and a version.
local function holds(expect, r)
  if expect == '' then return true end
  if expect == '-' then return not r.now end
  return r.now ~= nil and version_of(r) == expect:sub(2)
end

-- The rows below a row by one relation: those that an index has, and those that this commit put there.
local function below(r, relation)
  local t = T[relation.table]
  local x = t.x[relation.x]
  local low, high = bounds(r.key)
  local found, seen = {}, {}
  local function add(child)
    if child.now and not seen[child] and joined(x.path, child.now) == r.key then
      seen[child] = true
      found[#found + 1] = child
    end
  end
  local from, members = 0, nil
  -- Some of those that the index has may be gone, their time being over.
  repeat
    members = redis.call('ZRANGEBYLEX', index_key(r.base, t, x), low, high, 'LIMIT', from, MOST + 1)
    for _, each in ipairs(members) do add(row(r.base, relation.table, key_of(x, each, #r.key))) end
    from = from + #members
  until #members <= MOST or #found > MOST
  for _, each in ipairs(moved) do
    if each.t == t and each.base == r.base then add(each) end
  end
  return found
end

local function remove_alone(r, i)
  doomed[#doomed + 1] = {r, i}
  stage(r, nil, i)
  r.whole = true
  r.set = {}
end

local function doom(r, i)
  if #doomed >= MOST then refuse('many', i) end
  remove_alone(r, i)
  for _, relation in ipairs(r.t.children) do
    if relation.cascade then
      for _, child in ipairs(below(r, relation)) do doom(child, i) end
    end
  end
end

-- Parents are looked for when all is staged: records of one commit may name each other.
local function check_relations()
  for _, r in ipairs(moved) do
    for n, parent in ipairs(r.now and r.t.parents or {}) do
      local named = joined(parent.columns, r.now)
      if named then
        local id = record_key(r.base, T[parent.table], named)
        local there = true
        if rows[id] then
          there = rows[id].now
        elseif named ~= (r.before and joined(parent.columns, r.before)) then
          there = redis.call('EXISTS', id) == 1
        end
        if not there then refuse('parent', 0, r.t.table, tostring(n), named) end
      end
    end
  end
  for _, each in ipairs(doomed) do
    local r, i = each[1], each[2]
    for _, relation in ipairs(r.t.children) do
      if relation.holds and not r.now and #below(r, relation) > 0 then
        refuse('held', i, r.t.table, relation.table)
      end
    end
  end
end

local renewed = {}

-- Let a record's time begin anew, and that of what cascades from it.
local function renew(base, name, key)
  local t = T[name]
  local id = record_key(base, t, key)
  if not t.ttl or renewed[id] then return end
  renewed[id] = true
  if redis.call('PEXPIRE', id, t.ttl) == 0 then return end
  redis.call('ZADD', base .. t.name .. ':e', clock() + t.ttl, key)
  for _, relation in ipairs(t.children) do
    if relation.cascade then
      local x = T[relation.table].x[relation.x]
      local low, high = bounds(key)
      for _, each in ipairs(redis.call('ZRANGEBYLEX', index_key(base, T[relation.table], x), low, high)) do
        renew(base, relation.table, key_of(x, each, #key))
      end
    end
  end
end

-- Note what there is to take back when the record is gone by itself.
local function note(r, entries)
  for _, u in ipairs(r.t.u) do
    local values = unique_values(u, r.now)
    if values then entries[#entries + 1] = {'HDEL', ':u:' .. u.name, values} end
  end
  redis.call('HSET', r.base .. r.t.name .. ':m', r.key, cjson.encode(entries))
end

-- Let the record's time begin anew. What it belongs to, and what belongs to that, stays as long.
local function keep(r)
  for _, above in ipairs(r.t.above) do
    local key = joined(above.columns, r.now)
    if key then renew(r.base, above.table, key) end
  end
  renew(r.base, r.t.table, r.key)
end

-- Keep nothing any more of when a record is gone by itself.
local function unmark(r)
  redis.call('ZREM', r.base .. r.t.name .. ':e', r.key)
  redis.call('HDEL', r.base .. r.t.name .. ':m', r.key)
end

-- Write what became of one row, all but its unique values.
local function settle(r)
  local entries = {}
  for _, x in ipairs(r.t.x) do
    local was = r.before and member(x, r.key, r.before)
    local is = r.now and member(x, r.key, r.now)
    if was ~= is then
      if was then redis.call('ZREM', index_key(r.base, r.t, x), was) end
      if is then redis.call('ZADD', index_key(r.base, r.t, x), 0, is) end
    end
    if is then entries[#entries + 1] = {'ZREM', ':x:' .. x.name, is} end
  end
  if r.before and r.whole then redis.call('UNLINK', r.id) end
  local set, gone = {}, {}
  for column, each in pairs(r.set) do
    if each then
      set[#set + 1] = column
      set[#set + 1] = each
    else
      gone[#gone + 1] = column
    end
  end
  if r.now and #set > 0 then redis.call('HSET', r.id, unpack(set)) end
  if r.now and not r.whole and #gone > 0 then redis.call('HDEL', r.id, unpack(gone)) end
  if r.t.ttl then
    if r.now then
      note(r, entries)
    else
      unmark(r)
    end
  elseif ending(r.base, r.t) then
    -- It was written under a `ttl` that is not configured any more, and stays from now on.
    unmark(r)
    if r.now then redis.call('PERSIST', r.id) end
  end
end

local WRITING = {
  'HSET', 'HDEL', 'ZADD', 'ZREM', 'UNLINK', 'PEXPIRE', 'PERSIST', 'HGET', 'HGETALL', 'ZRANGEBYLEX', 'TIME'
}

-- Before anything is written: of a user who may run some of these only, half a write would stay.
local function check_allowed()
  if not redis.acl_check_cmd then return end
  for _, command in ipairs(WRITING) do
    local allowed = redis.acl_check_cmd(command, KEYS[1])
    if not allowed then
      error({err = 'NOPERM this user may not run ' .. command .. ', which writes need; nothing was written'}, 0)
    end
  end
end

local function flush()
  for _, r in ipairs(touched) do
    if r.dirty then settle(r) end
  end
  -- Only now: one that is written as a whole forgets when it ends.
  for _, r in ipairs(touched) do
    if r.dirty and r.now and r.t.ttl then keep(r) end
  end
  for name, values in pairs(taken) do
    for each, key in pairs(values) do
      if key then redis.call('HSET', name, each, key) else redis.call('HDEL', name, each) end
    end
  end
end
