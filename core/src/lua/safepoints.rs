//! Places at which code without loops and calls can be stopped.
//!
//! The VM can be stopped where code loops, calls or returns. Code that does neither runs through in one step: thousands of
//! `x = s .. t` in a row, with texts of megabytes, take minutes (X02). So code is compiled with the instructions that count
//! coverage, one for each statement and expression. Here they become jumps to the next instruction (`JUMPBACK`), at which the
//! VM can be stopped, wherever a path without any would be long, and nothing (`NOP`) elsewhere.
//!
//! The only stretches left without a place are single conditions, and the compiler bounds their length by its own limit of
//! nesting.
//!
//! Only whole instructions are replaced, by others of the same length that touch no register. The format is that of the one
//! version of Luau that is built in (its `Bytecode.h` and `lvmload.cpp`); what is not understood is refused, not guessed.

/// After how many instructions without a place to stop the next one is taken.
const FAR: u32 = 32;
/// The versions of bytecode whose format is known here.
const VERSIONS: std::ops::RangeInclusive<u8> = 4..=10;

const NOP: u32 = 0;
const LOADB: u8 = 3;
const JUMPBACK: u32 = 24;
const COVERAGE: u8 = 69;
/// One more than the last instruction.
const INSTRUCTIONS: u8 = 91;

/// Another version of Luau was built in than this knows. No code runs then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this build of Coronet cannot read the bytecode of its own compiler")]
pub(super) struct Unknown;

/// Puts places to stop into bytecode that was compiled with coverage of statements and expressions.
///
/// # Errors
/// When the bytecode is not understood.
pub(super) fn insert(bytecode: &mut [u8]) -> Result<(), Unknown> {
    let mut reader = Reader {
        bytes: bytecode,
        at: 0,
    };
    let version = reader.byte()?;
    if !VERSIONS.contains(&version) {
        return Err(Unknown);
    }
    let types = reader.byte()?;
    for _ in 0..reader.number()? {
        let length = reader.number()?;
        reader.skip(length)?;
    }
    if types == 3 {
        while reader.byte()? != 0 {
            reader.number()?;
        }
    }
    for _ in 0..reader.number()? {
        function(&mut reader)?;
    }
    // The index of the main function is all that is left.
    reader.number()?;
    if reader.at == reader.bytes.len() {
        Ok(())
    } else {
        Err(Unknown)
    }
}

struct Reader<'b> {
    bytes: &'b mut [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, Unknown> {
        let byte = *self.bytes.get(self.at).ok_or(Unknown)?;
        self.at += 1;
        Ok(byte)
    }

    fn skip(&mut self, length: usize) -> Result<(), Unknown> {
        let at = self.at.checked_add(length).ok_or(Unknown)?;
        if at > self.bytes.len() {
            return Err(Unknown);
        }
        self.at = at;
        Ok(())
    }

    /// A number of seven bits a byte, the lowest first.
    fn number(&mut self) -> Result<usize, Unknown> {
        let mut number = 0_usize;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Unknown)
    }
}

fn function(reader: &mut Reader<'_>) -> Result<(), Unknown> {
    // Stack, parameters, upvalues, varargs, flags.
    reader.skip(5)?;
    let types = reader.number()?;
    reader.skip(types)?;
    let length = reader.number()?;
    let start = reader.at;
    reader.skip(length.checked_mul(4).ok_or(Unknown)?)?;
    instructions(&mut reader.bytes[start..reader.at])?;
    for _ in 0..reader.number()? {
        constant(reader)?;
    }
    for _ in 0..reader.number()? {
        reader.number()?;
    }
    // The line it begins in, and its name.
    reader.number()?;
    reader.number()?;
    if reader.byte()? != 0 {
        let gap = reader.byte()?;
        let intervals = (length.checked_sub(1).ok_or(Unknown)? >> gap.min(31)) + 1;
        reader.skip(length)?;
        reader.skip(intervals.checked_mul(4).ok_or(Unknown)?)?;
    }
    if reader.byte()? != 0 {
        for _ in 0..reader.number()? {
            reader.number()?;
            reader.number()?;
            reader.number()?;
            reader.byte()?;
        }
        for _ in 0..reader.number()? {
            reader.number()?;
        }
    }
    Ok(())
}

fn constant(reader: &mut Reader<'_>) -> Result<(), Unknown> {
    match reader.byte()? {
        // nil
        0 => Ok(()),
        // A boolean.
        1 => reader.skip(1),
        // A number.
        2 => reader.skip(8),
        // A text, and a function.
        3 | 6 => reader.number().map(|_| ()),
        // An import.
        4 => reader.skip(4),
        // The keys of a table.
        5 => {
            for _ in 0..reader.number()? {
                reader.number()?;
            }
            Ok(())
        }
        // A vector.
        7 => reader.skip(16),
        // The keys of a table, each with the constant that is its value.
        8 => {
            for _ in 0..reader.number()? {
                reader.number()?;
                reader.skip(4)?;
            }
            Ok(())
        }
        // A whole number of 64 bits.
        9 => {
            reader.byte()?;
            while reader.byte()? & 0x80 != 0 {}
            Ok(())
        }
        _ => Err(Unknown),
    }
}

/// Chooses the places among the instructions of one function. `reached` is the length of the longest path without a place
/// that leads to each; all jumps that are no places themselves lead forward.
fn instructions(code: &mut [u8]) -> Result<(), Unknown> {
    let words = code.len() / 4;
    let mut reached = vec![0_u32; words + 1];
    let mut at = 0;
    while at < words {
        let word = word_at(code, at)?;
        let [operation, ..] = word.to_le_bytes();
        if operation >= INSTRUCTIONS {
            return Err(Unknown);
        }
        let next = at + length(operation);
        if next > words {
            return Err(Unknown);
        }
        let mut path = reached[at] + 1;
        if operation == COVERAGE {
            let is_far = path >= FAR;
            let chosen = if is_far { JUMPBACK } else { NOP };
            code[at * 4..at * 4 + 4].copy_from_slice(&chosen.to_le_bytes());
            if is_far {
                path = 0;
            }
        } else if stops(operation) {
            path = 0;
        }
        for target in [Some(next), target(operation, word, at)].into_iter().flatten() {
            if let Some(reached) = reached.get_mut(target).filter(|_| target > at) {
                *reached = path.max(*reached);
            }
        }
        at = next;
    }
    Ok(())
}

fn word_at(code: &[u8], at: usize) -> Result<u32, Unknown> {
    let bytes = code.get(at * 4..at * 4 + 4).ok_or(Unknown)?;
    bytes.try_into().map(u32::from_le_bytes).map_err(|_| Unknown)
}

/// How many words an instruction has.
fn length(operation: u8) -> usize {
    match operation {
        // GETGLOBAL, SETGLOBAL, GETIMPORT, GETTABLEKS, SETTABLEKS, NAMECALL
        7 | 8 | 12 | 15 | 16 | 20 => 2,
        // JUMPIFEQ to JUMPIFNOTLT; NEWTABLE, SETLIST, FORGLOOP
        27..=32 | 53 | 55 | 58 => 2,
        // FASTCALL3, LOADKX, FASTCALL2, FASTCALL2K
        60 | 66 | 74 | 75 => 2,
        // JUMPXEQKNIL to JUMPXEQKS
        77..=80 => 2,
        // GETUDATAKS to CMPPROTO, NEWCLASS
        83..=88 | 90 => 2,
        _ => 1,
    }
}

/// Whether the VM can be stopped at an instruction: CALL, RETURN, JUMPBACK, FORNLOOP, FORGLOOP, JUMPX and CALLFB.
fn stops(operation: u8) -> bool {
    matches!(operation, 21 | 22 | 24 | 57 | 58 | 67 | 87)
}

/// Where an instruction may go on other than at the next.
fn target(operation: u8, word: u32, at: usize) -> Option<usize> {
    let [_, _, low, high] = word.to_le_bytes();
    let distance = match operation {
        // JUMP, JUMPIF to JUMPIFNOTLT, FORNPREP, FORGPREP_INEXT, FORGPREP_NEXT, FORGPREP, JUMPXEQK…, CMPPROTO
        23 | 25..=32 | 56 | 59 | 61 | 76..=80 | 88 => isize::from(i16::from_le_bytes([low, high])),
        LOADB => isize::from(high),
        // FASTCALL and its like go on after the call that they stand for.
        60 | 68 | 73..=75 | 89 => isize::from(high) + 1,
        _ => return None,
    };
    (at + 1).checked_add_signed(distance)
}

#[cfg(test)]
mod tests {
    use mlua::chunk::Compiler;

    use super::*;

    fn compiled(source: &str) -> Vec<u8> {
        let compiler = Compiler::new()
            .set_optimization_level(1)
            .set_debug_level(1)
            .set_coverage_level(2);
        compiler.compile(source).unwrap()
    }

    #[test]
    fn x02_all_kinds_of_code_are_understood() {
        for source in [
            "",
            "return 1, 2.5, 'x', nil, true, 1e300, -7, vector.create(1, 2, 3)",
            "local t = { 1, 2, a = 1, b = { c = 'x' }, [1.5] = 3, f() } t.x.y['z'] = t[1] t.a += 1 t[2] ..= 'x'",
            "local function f(a, b, ...) local x = ... return select('#', ...), a, { ... } end f(1)(2):g(3)",
            "for i = 1, 10 do for k, v in pairs({}) do if i < k and v ~= nil then continue end break end end",
            "while a or b do repeat local x = not a until x == 1 or x == 'y' or x == nil or x == true end",
            "local x = if a then b elseif c then d else e x = a // b % c ^ d - -e .. 'f' .. #g x = 2 - a x = 2 / a",
            "local up = 1 local function f() up += 1 return function() return up, f end end",
            "local s = `a{b}c` local n = math.max(1, 2, 3) + bit32.band(x, 1) + string.byte('x') n = assert(n)",
            "local t = { x = 1, y = true, z = 'text', n = nil } return t",
            "type A = number local x: number = 1 local y: string? = nil return (x :: any)",
        ] {
            let mut bytecode = compiled(source);
            insert(&mut bytecode).unwrap_or_else(|fault| panic!("{source}: {fault}"));
        }
        // With every kind of constant and many of each, so that numbers have several bytes.
        let many: String = (0..3000)
            .map(|n| format!("x{n} = {n}.25 .. 'text{n}' y.f{n}(a < b, {{ k{n} = {n} }}) "))
            .collect();
        insert(&mut compiled(&many)).unwrap();
    }

    #[test]
    fn x02_what_is_not_understood_is_refused() {
        let good = compiled("local x = 1 return function() return x .. 'y' end");
        insert(&mut good.clone()).unwrap();
        let mut other = good.clone();
        other[0] = 14;
        assert_eq!(insert(&mut other), Err(Unknown));
        for length in 0..good.len() {
            assert_eq!(insert(&mut good[..length].to_vec()), Err(Unknown), "{length}");
        }
    }
}
