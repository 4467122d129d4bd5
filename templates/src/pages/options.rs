//! The options of `core.pages.new{timeout, max_file_size, max_file_uploads}`: what a page takes of its visitors.
//!
//! The server has read the request within its own limits by then, so an option can only take less. The original's defaults
//! (10,240 bytes, 10 files, a second) do not hold: a page that names none takes what the server takes.

use std::time::Duration;

use mlua::{MultiValue, Table, Value as LuaValue};

use super::form::{FormFault, Upload};

/// What was sent, as far as options may limit it.
pub(super) struct Sent {
    largest_file: usize,
    files: usize,
    took: Duration,
}

impl Sent {
    pub(super) fn of(files: &[Upload], took: Duration) -> Self {
        Self {
            largest_file: files.iter().map(|file| file.content.len()).max().unwrap_or(0),
            files: files.len(),
            took,
        }
    }
}

/// Why what was sent is more than the options allow, if it is.
///
/// # Errors
/// When an option is no number of 0 or more.
pub(super) fn fault(arguments: &MultiValue, sent: &Sent) -> mlua::Result<Option<FormFault>> {
    // Called with a colon, the first argument is `core.pages`.
    let Some(LuaValue::Table(options)) = arguments.iter().last() else {
        return Ok(None);
    };
    let exceeds = |limit: u64, amount: usize| u64::try_from(amount).unwrap_or(u64::MAX) > limit;
    if let Some(limit) = option(options, "max_file_size")?
        && exceeds(limit, sent.largest_file)
    {
        return Ok(Some(FormFault::FileTooLarge(limit)));
    }
    if let Some(limit) = option(options, "max_file_uploads")?
        && exceeds(limit, sent.files)
    {
        return Ok(Some(FormFault::TooManyFiles(limit)));
    }
    if let Some(limit) = option(options, "timeout")?
        && sent.took > Duration::from_millis(limit)
    {
        return Ok(Some(FormFault::TooSlow(limit)));
    }
    Ok(None)
}

fn option(options: &Table, name: &str) -> mlua::Result<Option<u64>> {
    let number = match options.raw_get(name)? {
        LuaValue::Nil => return Ok(None),
        LuaValue::Integer(number) => u64::try_from(number).ok(),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and what is not a number of 0 or more is rejected"
        )]
        LuaValue::Number(number) => (number >= 0.0).then_some(number as u64),
        _ => None,
    };
    match number {
        Some(number) => Ok(Some(number)),
        None => Err(mlua::Error::runtime(format!(
            "core.pages.new: `{name}` must be a number of 0 or more"
        ))),
    }
}
