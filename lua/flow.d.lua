---@meta flow
-- Types of what a Lua stage of flow is given, for LuaLS and editors. Never loaded at run time.

---@alias flow.PortType
---| "text"   # the whole file as a string
---| "bytes"  # the same; says that it is no text
---| "json"   # a value; null is json.null
---| "lines"  # a list of strings, without line ends
---| "csv"    # a list of rows keyed by the header; `columns` keeps their order; values stay text
---| "npy"    # a list of numbers with `shape`, `dtype` and `data`, which is the list itself
---| "idx"    # {dims = {...}, type = "u8", data = string}
---| "file"   # read by its ending: .json .csv .npy .idx -ubyte .bin, else text
---| "folder" # not read here; use ctx:input

---@alias flow.ParamType "number"|"integer"|"boolean"|"text"|"list"|"map"

---@class flow.Port
---@field type flow.PortType
---@field optional? boolean dag.yaml need not declare it
---@field help? string

---@class flow.Param
---@field type? flow.ParamType
---@field default? any without one, `with:` must give it
---@field min? number
---@field max? number
---@field help? string

--- What a stage's file returns.
---@class flow.Stage
---@field name? string
---@field version? string
---@field help? string one line
---@field inputs? table<string, flow.PortType|flow.Port> deps that the stage looks for
---@field outputs? table<string, flow.PortType|flow.Port> outs that it writes
---@field params? table<string, flow.Param|any> keys of `with:`; a plain value is a default
---@field run fun(ctx: flow.Ctx)
---@field tests? table[]

---@class flow.Rows
---@field columns string[]
---@field [integer] table<string, string>

---@class flow.Array
---@field shape integer[]
---@field dtype string as NumPy writes it: "<f4"
---@field data number[]
---@field [integer] number

---@class flow.Idx
---@field dims integer[]
---@field type "u8"|"i8"|"i16"|"i32"|"f32"|"f64"
---@field data string

---@class flow.ExecResult
---@field ok boolean ended with status 0
---@field code? integer exit status
---@field signal? integer that killed it
---@field timed_out boolean
---@field output string its stdout; stderr goes to the log

--- One attempt. Reading a field that is not there is an error.
---@class flow.Ctx
---@field params table<string, any> the tracked params, nested; then the keys of `with`
---@field with table<string, any> `with:` of dag.yaml, with the defaults of the stage's `params`
---@field seed integer the same for every attempt with the same key; math.random is seeded with it
---@field attempt integer 1 on the first try
---@field threads integer CPU cores that the attempt holds
---@field run_id string
---@field task string "train@seed-2"
---@field stage string "train"
local Ctx = {}

--- Path of a dep.
---@param name string
---@return string
function Ctx:input(name) end

--- Path to write an out to. It is a staging path: it becomes visible when the stage has succeeded.
---@param name string
---@return string
function Ctx:output(name) end

--- A secret that the stage lists under `secrets`. It is masked in the log.
---@param name string
---@return string
function Ctx:secret(name) end

--- Content of a dep, by the type in the stage's `inputs`, else by the ending of its path.
---@param name string
---@return any
function Ctx:read(name) end

--- Write an out whole. A table becomes JSON with sorted keys (or lines or csv, when the port says so); else tostring.
---@param name string
---@param value any
function Ctx:write(name, value) end

--- Walk over the lines of a dep without holding it in memory.
---@param name string
---@return fun(): string?
function Ctx:lines(name) end

--- Record a number.
---@param name string [A-Za-z0-9_./-]{1,128}
---@param value number
---@param step? integer without one it stands for the whole stage
function Ctx:metric(name, value, step) end

--- How far along, shown live.
---@param done number
---@param total? number 1 when absent
---@param what? string one short line
function Ctx:progress(done, total, what) end

--- One line to the log, arguments joined by blanks.
---@param ... any
function Ctx:log(...) end

---@param ... any
function Ctx:warn(...) end

--- Fail with a reason and no trace. Does not return.
---@param format string as string.format
---@param ... any
function Ctx:fail(format, ...) end

--- True after flow asked the stage to end. A script that never asks is stopped within milliseconds instead.
---@return boolean
function Ctx:cancelled() end

--- A folder of this attempt's own, empty at the start, gone at the end.
---@return string
function Ctx:tmpdir() end

--- Folder that outlives failed attempts of this task; nil when the stage declares no checkpoint.
---@return string?
function Ctx:checkpoint() end

---@param seconds number
---@return boolean whole false when flow asked the stage to end meanwhile
function Ctx:sleep(seconds) end

--- Run a program and wait for it; no shell. Needs `unsafe: true`.
---@param command { [integer]: string, timeout?: number }
---@return flow.ExecResult
function Ctx:exec(command) end

---@class flow.json
---@field null lightuserdata what null is decoded to
json = {}

---@param value any
---@param pretty? boolean
---@return string
function json.encode(value, pretty) end

---@param text string
---@return any
function json.decode(text) end

--- Mark a table as an array, so that an empty one is written as [].
---@generic T: table
---@param list? T
---@return T
function json.array(list) end

---@class flow.bytes
bytes = {}

--- How often each byte occurs, from [0] to [255].
---@param data string
---@param first? integer as string.sub
---@param last? integer
---@return table<integer, integer>
function bytes.histogram(data, first, last) end

---@param data string
---@param first? integer
---@param last? integer
---@return integer
function bytes.sum(data, first, last) end

--- The unsigned 32-bit number at a position, big-endian.
---@param data string
---@param position integer
---@return integer
function bytes.u32be(data, position) end

---@param data string
---@param first integer
---@param last? integer
---@return string
function bytes.slice(data, first, last) end

--- pairs in a fixed order: numbers first, then text. The order of pairs itself changes from run to run.
---@generic K, V
---@param t table<K, V>
---@return fun(): K, V
function sorted_pairs(t) end
