//! One Luau VM for one session: closed, limited, and thrown away afterwards.

use std::sync::{Arc, OnceLock};

use mlua::chunk::{ChunkMode, Compiler};
use mlua::{Function, Lua, LuaOptions, StdLib, Table, Variadic, VmState};

use super::chunks::Chunks;
use super::control::Control;
use super::error::{LuaError, LuaErrorKind};
use super::log::{LogSink, MAX_LINE};
use super::{Limits, builtins, safepoints, value};
use crate::text::without_byte_order_mark;

/// What code can use of Luau's own libraries. `os` has only clock, date, difftime and time; `debug`
/// only info and traceback; there is no `io`, `package` or `require`.
const LIBRARIES: [StdLib; 9] = [
    StdLib::COROUTINE,
    StdLib::TABLE,
    StdLib::OS,
    StdLib::STRING,
    StdLib::UTF8,
    StdLib::BIT,
    StdLib::MATH,
    StdLib::BUFFER,
    StdLib::DEBUG,
];

/// What the functions of the prelude are called in a stack: what the library's own are called.
pub(super) const OWN: &str = "[C]";
const OWN_CHUNK: &str = "=[C]";

/// The VM of one session. Binders add what they bring to [`Sandbox::core`] before the first
/// [`Sandbox::load`], which closes the table.
pub struct Sandbox {
    lua: Lua,
    core: Table,
    limits: Limits,
    chunks: Arc<Chunks>,
}

impl Sandbox {
    pub(super) fn new(
        limits: Limits,
        chunks: Arc<Chunks>,
        log: &LogSink,
        control: Arc<Control>,
    ) -> mlua::Result<Self> {
        enable_table_move_fix();
        let libraries = LIBRARIES
            .into_iter()
            .fold(StdLib::NONE, |all, library| all | library);
        let lua = Lua::new_with(libraries, LuaOptions::default())?;
        let core = lua.create_table()?;
        core.raw_set("NULL", mlua::Value::NULL)?;
        let print = log_function(&lua, log.clone(), None)?;
        core.raw_set("log", log_table(&lua, log, &print)?)?;

        let globals = lua.globals();
        globals.raw_set("core", &core)?;
        globals.raw_set("print", print)?;
        globals.raw_set("require", mlua::Nil)?;
        globals.raw_set("loadstring", load_function(&lua, limits.source)?)?;
        lua.load(prelude()?)
            .set_mode(ChunkMode::Binary)
            .set_name(OWN_CHUNK)
            .call::<()>(builtins::table(&lua, &control, limits.memory)?)?;

        lua.sandbox(true)?;
        core.set_readonly(false);
        lua.set_memory_limit(limits.memory)?;
        lua.set_app_data(Arc::clone(&control));
        watch(&lua, control);
        Ok(Self {
            lua,
            core,
            limits,
            chunks,
        })
    }

    /// The VM, for binders.
    pub fn lua(&self) -> &Lua {
        &self.lua
    }

    /// The `core` table of the code.
    pub fn core(&self) -> &Table {
        &self.core
    }

    /// Compiles `source` and returns the function that runs it. `name` is how errors call it.
    ///
    /// # Errors
    /// When the source is larger than the limit, is bytecode (L04), or is not Lua; with the line.
    pub fn load(&self, name: &str, source: &str) -> Result<Function, LuaError> {
        self.core.set_readonly(true);
        let bytecode = self.chunks.compiled(name, source, self.limits.source)?;
        let chunk = self
            .lua
            .load(bytecode.as_slice())
            .set_mode(ChunkMode::Binary)
            .set_name(format!("={name}"));
        Ok(chunk.into_function()?)
    }
}

/// Compiles source without running it.
///
/// # Errors
/// When it is larger than `limit` bytes, bytecode, or not Lua; with the line.
pub fn compile(name: &str, source: &str, limit: usize) -> Result<Vec<u8>, LuaError> {
    let source = without_byte_order_mark(source);
    if source.len() > limit {
        let message = format!(
            "{name}: the code has {} bytes, and {limit} are allowed",
            source.len()
        );
        return Err(LuaError::new(LuaErrorKind::Source, message));
    }
    if source.bytes().next().is_some_and(|first| first < b'\t') {
        return Err(LuaError::new(
            LuaErrorKind::Source,
            format!("{name}: this is not Lua source; bytecode is not accepted"),
        ));
    }
    // Level 1 does not inline and unroll: compile time stays proportional to the source (L03). Coverage is what `safepoints` needs.
    let compiler = Compiler::new()
        .set_optimization_level(1)
        .set_debug_level(1)
        .set_coverage_level(2);
    let mut bytecode = compiler.compile(source).map_err(|error| match error {
        mlua::Error::SyntaxError { message, .. } => {
            let mut error = LuaError::new(LuaErrorKind::Source, format!("{name}:{message}"));
            error.line = message.split(':').next().and_then(|line| line.parse().ok());
            error
        }
        other => other.into(),
    })?;
    safepoints::insert(&mut bytecode)
        .map_err(|unknown| LuaError::new(LuaErrorKind::Source, format!("{name}: {unknown}")))?;
    Ok(bytecode)
}

/// Stops the code at its next step once the session has to end.
fn watch(lua: &Lua, control: Arc<Control>) {
    lua.set_interrupt(move |lua| match control.check() {
        Ok(()) => Ok(VmState::Continue),
        Err(_) => Err(control.stopped(lua)),
    });
}

/// `core.log`: called as it is, it prints; its functions say of what level the line is.
fn log_table(lua: &Lua, log: &LogSink, print: &Function) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("info", print)?;
    for level in ["debug", "warn", "error"] {
        table.raw_set(level, log_function(lua, log.clone(), Some(level))?)?;
    }
    let print = print.clone();
    let call =
        lua.create_function(move |_, (_, values): (Table, Variadic<mlua::Value>)| print.call::<()>(values))?;
    let meta = lua.create_table()?;
    meta.raw_set("__call", call)?;
    meta.raw_set("__metatable", "core.log")?;
    table.set_metatable(Some(meta))?;
    table.set_readonly(true);
    Ok(table)
}

/// Prints one line of all arguments, tables as JSON; a level other than info stands in front. What the sink would not
/// keep is not copied out of the VM, whose memory limit ends there.
fn log_function(lua: &Lua, log: LogSink, level: Option<&'static str>) -> mlua::Result<Function> {
    lua.create_function(move |_, values: Variadic<mlua::Value>| {
        let mut line = level.map(|level| format!("{level}: ")).unwrap_or_default();
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                line.push(' ');
            }
            line.push_str(&value::display(value, MAX_LINE + 1));
            if line.len() > MAX_LINE {
                break;
            }
        }
        log.line(&line);
        Ok(())
    })
}

/// `loadstring` for source only, within the size limit; `nil, message` when it does not compile.
fn load_function(lua: &Lua, limit: usize) -> mlua::Result<Function> {
    lua.create_function(move |lua, (source, name): (String, Option<String>)| {
        // Code that takes the name of our own chunk would be taken for it.
        let own = |name: &String| name.trim_start_matches('=').starts_with(OWN);
        let name = name.filter(|name| !own(name));
        let name = name.unwrap_or_else(|| "(loadstring)".to_owned());
        let compiled = compile(&name, &source, limit);
        let function = compiled.and_then(|bytecode| {
            let chunk = lua
                .load(bytecode)
                .set_mode(ChunkMode::Binary)
                .set_name(format!("={name}"));
            chunk.into_function().map_err(LuaError::from)
        });
        Ok(match function {
            Ok(function) => (Some(function), None),
            Err(error) => (None, Some(error.message)),
        })
    })
}

/// The prelude, compiled once.
fn prelude() -> mlua::Result<&'static [u8]> {
    static PRELUDE: OnceLock<Result<Vec<u8>, mlua::Error>> = OnceLock::new();
    // Without lines and names: nothing of it is to be seen in an error or a stack.
    let compiler = || Compiler::new().set_optimization_level(1).set_debug_level(0);
    let compiled = PRELUDE.get_or_init(|| compiler().compile(include_str!("prelude.luau")));
    compiled.as_deref().map_err(Clone::clone)
}

/// Luau ships the fix for `table.move` over huge empty ranges, one endless step, switched off.
fn enable_table_move_fix() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        if Lua::set_fflag("LuauTableMoveTimeoutFix", true).is_err() {
            tracing::warn!("this version of Luau has no LuauTableMoveTimeoutFix flag");
        }
    });
}
