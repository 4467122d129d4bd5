//! Lua values to JSON and back.

use std::sync::Arc;

use mlua::{Lua, LuaSerdeExt, Table, Value as LuaValue};
use serde_json::{Map, Number, Value};

use super::control::Control;
use super::schema::Hint;

/// Deepest nesting of a value that goes in or out.
pub(super) const MAX_DEPTH: usize = 64;
/// Rough size, in bytes, of the largest value one call may pass.
pub(super) const MAX_SIZE: usize = 4 * 1024 * 1024;
/// Largest integer a Lua number holds exactly.
const MAX_INTEGER: f64 = 9_007_199_254_740_992.0;

/// The field of a metatable that says that its table is a list in JSON, with the value `array`; dkjson calls it so, too.
const JSON_TYPE: &str = "__jsontype";
/// Where the VM keeps the metatable of lists.
const LISTS: &str = "coronet lists";

/// A Lua value that has no JSON form, and where in the argument it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Unconvertible {
    path: String,
    reason: String,
}

/// The JSON form of a Lua value. An empty table is `[]` where the schema of `hint` wants a list, or where the table is
/// marked as one, as all lists are that came from JSON; else it is `{}`.
///
/// # Errors
/// For functions and other values without JSON form, text that is not UTF-8, NaN and infinity, tables
/// that are half list and half record, and for nesting (or a cycle) and sizes beyond the limits (L06).
pub fn to_json(value: &LuaValue, name: &str, hint: Hint<'_>) -> Result<Value, Unconvertible> {
    Encoder {
        path: vec![name.to_owned()],
        size: 0,
    }
    .encode(value, hint)
}

/// The Lua form of a JSON value. `null` is `nil` as a field of a record (so that `if user.email` reads
/// well) and `core.NULL` in a list (so that the list keeps its length). Lists are marked, so that an empty one stays a list
/// when it becomes JSON again.
///
/// # Errors
/// When the VM's memory limit is reached.
pub fn from_json(lua: &Lua, value: &Value) -> mlua::Result<LuaValue> {
    match value {
        Value::Array(_) | Value::Object(_) => Decoder::new(lua)?.decode(value),
        scalar => scalar_from_json(lua, scalar),
    }
}

/// Marks a table as a list for JSON.
///
/// # Errors
/// When the VM's memory limit is reached, or the table is read-only.
pub(super) fn mark_list(lua: &Lua, table: &Table) -> mlua::Result<()> {
    table.set_metatable(Some(list_metatable(lua)?))
}

fn list_metatable(lua: &Lua) -> mlua::Result<Table> {
    if let Some(known) = lua.named_registry_value::<Option<Table>>(LISTS)? {
        return Ok(known);
    }
    let metatable = lua.create_table()?;
    metatable.raw_set(JSON_TYPE, "array")?;
    metatable.set_readonly(true);
    lua.set_named_registry_value(LISTS, &metatable)?;
    Ok(metatable)
}

fn is_marked_list(table: &Table) -> bool {
    let named = table
        .metatable()
        .map(|metatable| metatable.raw_get::<LuaValue>(JSON_TYPE));
    matches!(named, Some(Ok(LuaValue::String(name))) if &*name.as_bytes() == b"array")
}

fn scalar_from_json(lua: &Lua, value: &Value) -> mlua::Result<LuaValue> {
    Ok(match value {
        Value::Null => LuaValue::Nil,
        Value::Bool(flag) => LuaValue::Boolean(*flag),
        Value::Number(number) => number_to_lua(number),
        Value::String(text) => LuaValue::String(lua.create_string(text)?),
        Value::Array(_) | Value::Object(_) => LuaValue::Nil,
    })
}

/// Makes Lua tables of lists and records.
struct Decoder<'l> {
    lua: &'l Lua,
    lists: Table,
    made: usize,
}

impl<'l> Decoder<'l> {
    fn new(lua: &'l Lua) -> mlua::Result<Self> {
        Ok(Self {
            lua,
            lists: list_metatable(lua)?,
            made: 0,
        })
    }

    fn decode(&mut self, value: &Value) -> mlua::Result<LuaValue> {
        self.made += 1;
        // Megabytes of JSON are many tables and texts, which is one step of the code that asked for them.
        if self.made.is_multiple_of(1000)
            && let Some(control) = self.lua.app_data_ref::<Arc<Control>>()
        {
            control.check().map_err(mlua::Error::external)?;
        }
        match value {
            Value::Array(items) => self.list(items),
            Value::Object(fields) => {
                let table = self.lua.create_table_with_capacity(0, fields.len())?;
                for (key, field) in fields.iter().filter(|(_, field)| !field.is_null()) {
                    table.raw_set(key.as_str(), self.decode(field)?)?;
                }
                Ok(LuaValue::Table(table))
            }
            scalar => scalar_from_json(self.lua, scalar),
        }
    }

    fn list(&mut self, items: &[Value]) -> mlua::Result<LuaValue> {
        let table = self.lua.create_table_with_capacity(items.len(), 0)?;
        for (index, item) in items.iter().enumerate() {
            let item = if item.is_null() {
                self.lua.null()
            } else {
                self.decode(item)?
            };
            table.raw_set(index + 1, item)?;
        }
        table.set_metatable(Some(self.lists.clone()))?;
        Ok(LuaValue::Table(table))
    }
}

/// How a value reads in a log line: text as it is, but not more of it than `limit` bytes; a table as JSON.
pub(super) fn display(value: &LuaValue, limit: usize) -> String {
    match value {
        LuaValue::String(text) => {
            let bytes = text.as_bytes();
            String::from_utf8_lossy(&bytes[..bytes.len().min(limit)]).into_owned()
        }
        LuaValue::Table(_) => match to_json(value, "table", Hint::NONE) {
            Ok(json) => json.to_string(),
            // Not its address, which would tell where the server keeps things.
            Err(why) => format!("(not shown: {why})"),
        },
        LuaValue::Integer(number) => number.to_string(),
        LuaValue::Number(number) => number.to_string(),
        LuaValue::Boolean(flag) => flag.to_string(),
        LuaValue::Error(error) => error.to_string(),
        value if value.is_null() => "null".to_owned(),
        other => other.type_name().to_owned(),
    }
}

/// The kind of a value, for people: Luau's integers are numbers like all others to whoever writes code.
pub fn with_article(value: &LuaValue) -> String {
    match value {
        LuaValue::Integer(_) => "a number".to_owned(),
        LuaValue::Error(_) => "an error".to_owned(),
        other => format!("a {}", other.type_name()),
    }
}

fn number_to_lua(number: &Number) -> LuaValue {
    match (number.as_i64(), number.as_f64()) {
        (Some(integer), _) => LuaValue::Integer(integer),
        (None, float) => LuaValue::Number(float.unwrap_or(f64::NAN)),
    }
}

struct Encoder {
    path: Vec<String>,
    size: usize,
}

impl Encoder {
    fn encode(&mut self, value: &LuaValue, hint: Hint<'_>) -> Result<Value, Unconvertible> {
        self.grow(8)?;
        match value {
            LuaValue::Nil => Ok(Value::Null),
            value if value.is_null() => Ok(Value::Null),
            LuaValue::Boolean(flag) => Ok(Value::Bool(*flag)),
            LuaValue::Integer(integer) => Ok(Value::from(*integer)),
            LuaValue::Number(number) => self.number(*number),
            LuaValue::String(text) => self.text(text).map(Value::String),
            LuaValue::Table(table) => self.table(table, hint),
            other => self.refuse(format!("{} cannot be passed", with_article(other))),
        }
    }

    fn number(&self, number: f64) -> Result<Value, Unconvertible> {
        if number.fract() == 0.0 && number.abs() <= MAX_INTEGER {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole and within 2^53, so the cast is exact"
            )]
            return Ok(Value::from(number as i64));
        }
        match Number::from_f64(number) {
            Some(number) => Ok(Value::Number(number)),
            None => self.refuse("not a number (nan) and infinity cannot be passed"),
        }
    }

    fn text(&mut self, text: &mlua::LuaString) -> Result<String, Unconvertible> {
        let bytes = text.as_bytes();
        self.grow(bytes.len())?;
        match std::str::from_utf8(&bytes) {
            Ok(text) if text.contains('\0') => self.refuse("the text contains a NUL character"),
            Ok(text) => Ok(text.to_owned()),
            Err(_) => self.refuse("the text is not valid UTF-8"),
        }
    }

    fn table(&mut self, table: &Table, hint: Hint<'_>) -> Result<Value, Unconvertible> {
        if self.path.len() > MAX_DEPTH {
            return self.refuse(format!(
                "tables are nested more than {MAX_DEPTH} deep, or contain themselves"
            ));
        }
        let mut numbers = 0_usize;
        let mut highest = 0_i64;
        let mut names = 0_usize;
        for pair in table.pairs::<LuaValue, LuaValue>() {
            let Ok((key, _)) = pair else {
                return self.refuse("the table cannot be read");
            };
            match key {
                LuaValue::Integer(index) if index >= 1 => {
                    numbers += 1;
                    highest = highest.max(index);
                }
                LuaValue::String(_) => names += 1,
                other => return self.refuse(format!("{} cannot be a key", with_article(&other))),
            }
            self.grow(8)?;
        }
        match (numbers, names) {
            (0, 0) if hint.wants_list() => Ok(Value::Array(Vec::new())),
            (0, 0) if is_marked_list(table) && !hint.wants_record() => Ok(Value::Array(Vec::new())),
            (0, _) => self.record(table, hint),
            (_, 0) => self.list(table, numbers, highest, hint),
            _ => self.refuse("the table is half a list and half a record"),
        }
    }

    fn list(
        &mut self,
        table: &Table,
        count: usize,
        highest: i64,
        hint: Hint<'_>,
    ) -> Result<Value, Unconvertible> {
        let length = usize::try_from(highest).unwrap_or(usize::MAX);
        // A few holes are nils in a list; more are a record with numbers for keys, which JSON has not.
        if length > count.saturating_mul(2).saturating_add(8) {
            return self.refuse("the keys are numbers with large gaps; use text for the keys");
        }
        let mut items = Vec::with_capacity(length);
        for index in 1..=length {
            let Ok(item) = table.raw_get::<LuaValue>(index) else {
                return self.refuse("the table cannot be read");
            };
            self.path.push(index.to_string());
            items.push(self.encode(&item, hint.item())?);
            self.path.pop();
        }
        Ok(Value::Array(items))
    }

    fn record(&mut self, table: &Table, hint: Hint<'_>) -> Result<Value, Unconvertible> {
        let mut fields = Map::new();
        for pair in table.pairs::<mlua::LuaString, LuaValue>() {
            let Ok((key, value)) = pair else {
                return self.refuse("the table cannot be read");
            };
            let key = self.text(&key)?;
            self.path.push(key.clone());
            let value = self.encode(&value, hint.field(&key))?;
            self.path.pop();
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }

    fn grow(&mut self, by: usize) -> Result<(), Unconvertible> {
        self.size += by;
        if self.size > MAX_SIZE {
            self.refuse(format!("the value is larger than {} MB", MAX_SIZE >> 20))
        } else {
            Ok(())
        }
    }

    fn refuse<T>(&self, reason: impl Into<String>) -> Result<T, Unconvertible> {
        Err(Unconvertible {
            path: self.path.join("."),
            reason: reason.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn encode(code: &str, schema: Value) -> Result<Value, Unconvertible> {
        let lua = Lua::new();
        lua.globals().set("NULL", lua.null()).unwrap();
        let value = lua.load(code).eval().unwrap();
        to_json(&value, "arg", Hint::new(&schema, &schema))
    }

    #[test]
    fn an_empty_table_is_what_its_schema_says() {
        let schema = json!({
            "properties": {
                "tags": { "type": ["array", "null"], "items": { "$ref": "#/$defs/tag" } },
                "extra": { "anyOf": [{ "$ref": "#/$defs/extra" }, { "type": "null" }] },
            },
            "$defs": {
                "tag": { "type": "array", "items": { "type": "string" } },
                "extra": { "type": "object", "additionalProperties": { "type": "array" } },
            },
        });
        let value = encode("{ tags = {}, extra = {}, other = {} }", schema.clone()).unwrap();
        assert_eq!(value, json!({ "tags": [], "extra": {}, "other": {} }));
        let value = encode("{ tags = { {}, {'x'} }, extra = { list = {} } }", schema).unwrap();
        assert_eq!(value, json!({ "tags": [[], ["x"]], "extra": { "list": [] } }));
    }

    #[test]
    fn numbers_holes_and_null_keep_their_meaning() {
        let value = encode("{ 1, 2.5, -0.0, nil, NULL, 2^53, 1e300 }", json!({})).unwrap();
        assert_eq!(
            value,
            json!([1, 2.5, 0, null, null, 9_007_199_254_740_992_i64, 1e300])
        );
    }

    #[test]
    fn l06_what_has_no_json_form_is_refused_with_its_place() {
        for (code, expected) in [
            ("{ a = { b = print } }", "arg.a.b: a function cannot be passed"),
            (
                "{ a = 0/0 }",
                "arg.a: not a number (nan) and infinity cannot be passed",
            ),
            ("{ 'x', '\\255' }", "arg.2: the text is not valid UTF-8"),
            ("{ 'a\\0b' }", "arg.1: the text contains a NUL character"),
            ("{ 1, a = 2 }", "arg: the table is half a list and half a record"),
            (
                "{ [1e6] = 1 }",
                "arg: the keys are numbers with large gaps; use text for the keys",
            ),
            ("{ [true] = 1 }", "arg: a boolean cannot be a key"),
            ("string.rep('x', 5e6)", "arg: the value is larger than 4 MB"),
            ("coroutine.create(print)", "arg: a thread cannot be passed"),
        ] {
            assert_eq!(encode(code, json!({})).unwrap_err().to_string(), expected);
        }
        let cycle = encode("(function() local t = {} t.t = t return t end)()", json!({})).unwrap_err();
        assert!(cycle.reason.contains("contain themselves"), "{cycle}");
    }

    #[test]
    fn json_comes_back_as_lua_would_have_it() {
        let lua = Lua::new();
        let value = from_json(
            &lua,
            &json!({ "id": 7, "gone": null, "list": [1, null, "x"], "f": 0.5 }),
        )
        .unwrap();
        lua.globals().set("v", value).unwrap();
        lua.globals().set("NULL", lua.null()).unwrap();
        lua.load("assert(v.id == 7 and v.gone == nil and #v.list == 3 and v.list[2] == NULL and v.f == 0.5)")
            .exec()
            .unwrap();
    }
}
