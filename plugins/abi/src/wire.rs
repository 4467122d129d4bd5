//! Frames between the server and a plugin's host process.
//!
//! A frame is its length (`u32`, little endian, without itself), one byte of kind, and a body. Numbers are little
//! endian. The life of a connection:
//!
//! ```text
//! host   → Hello   manifest JSON            the library is loaded (or Refused, with the reason, and the end)
//! server → Start   settings JSON            or nothing: who only wants the manifest hangs up
//! host   → Ready                            or Refused
//! both   ⇄ Call    id, parent, caller, function, JSON  …  Return  id, status, JSON
//! host   → Log     level, text
//! server → Stop                             the host finishes its calls and ends
//! ```
//! Each side numbers its own calls from 1. JSON is passed through untouched: the host process never parses a payload.

/// The longest frame either side accepts; a mail of 25 MB fits, escaped.
pub const MAX_FRAME: usize = 64 * 1024 * 1024;

/// Bytes before the kind.
const PREFIX: usize = 4;

/// One message.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Frame<'a> {
    Hello {
        manifest: &'a [u8],
    },
    Refused {
        reason: &'a [u8],
    },
    Start {
        settings: &'a [u8],
    },
    Ready,
    Call {
        id: u64,
        parent: u64,
        caller: u8,
        function: &'a str,
        parameters: &'a [u8],
    },
    Return {
        id: u64,
        ok: bool,
        payload: &'a [u8],
    },
    Log {
        level: u8,
        message: &'a [u8],
    },
    Stop,
}

/// Why bytes are not a frame. The connection cannot go on after it.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum WireError {
    TooLong(usize),
    Malformed,
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong(len) => write!(f, "a frame of {len} bytes is over the limit of {MAX_FRAME}"),
            Self::Malformed => f.write_str("a malformed frame"),
        }
    }
}

impl std::error::Error for WireError {}

const HELLO: u8 = 1;
const REFUSED: u8 = 2;
const START: u8 = 3;
const READY: u8 = 4;
const CALL: u8 = 5;
const RETURN: u8 = 6;
const LOG: u8 = 7;
const STOP: u8 = 8;

impl Frame<'_> {
    /// Appends the frame to `out`.
    ///
    /// # Errors
    /// When the frame would be over [`MAX_FRAME`], or a function's name over 65,535 bytes; `out` is then unchanged.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        let start = out.len();
        out.extend_from_slice(&[0; PREFIX]);
        match *self {
            Self::Hello { manifest } => parts(out, HELLO, &[manifest]),
            Self::Refused { reason } => parts(out, REFUSED, &[reason]),
            Self::Start { settings } => parts(out, START, &[settings]),
            Self::Ready => parts(out, READY, &[]),
            Self::Stop => parts(out, STOP, &[]),
            Self::Log { level, message } => parts(out, LOG, &[&[level], message]),
            Self::Return { id, ok, payload } => {
                parts(out, RETURN, &[&id.to_le_bytes(), &[u8::from(!ok)], payload]);
            }
            Self::Call {
                id,
                parent,
                caller,
                function,
                parameters,
            } => {
                let Ok(name_len) = u16::try_from(function.len()) else {
                    out.truncate(start);
                    return Err(WireError::Malformed);
                };
                let numbers = (id.to_le_bytes(), parent.to_le_bytes(), name_len.to_le_bytes());
                parts(
                    out,
                    CALL,
                    &[
                        &numbers.0,
                        &numbers.1,
                        &[caller],
                        &numbers.2,
                        function.as_bytes(),
                        parameters,
                    ],
                );
            }
        }
        let len = out.len() - start - PREFIX;
        match u32::try_from(len) {
            Ok(prefix) if len <= MAX_FRAME => {
                out[start..start + PREFIX].copy_from_slice(&prefix.to_le_bytes());
                Ok(())
            }
            _ => {
                out.truncate(start);
                Err(WireError::TooLong(len))
            }
        }
    }
}

fn parts(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    out.reserve(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    out.push(kind);
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Takes the first whole frame of `bytes`, and says how many bytes it used; `None` when more bytes must come first.
///
/// # Errors
/// When the bytes can never become a frame.
pub fn decode(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>, WireError> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX>() else {
        return Ok(None);
    };
    let len = u32::from_le_bytes(*prefix) as usize;
    if len > MAX_FRAME {
        return Err(WireError::TooLong(len));
    }
    let Some(frame) = rest.get(..len) else {
        return Ok(None);
    };
    let (&kind, body) = frame.split_first().ok_or(WireError::Malformed)?;
    Ok(Some((
        body_of(kind, body).ok_or(WireError::Malformed)?,
        PREFIX + len,
    )))
}

/// How many bytes are still missing before [`decode`] can give a frame, as far as the bytes so far can tell.
pub fn missing(bytes: &[u8]) -> usize {
    match bytes.split_first_chunk::<PREFIX>() {
        None => PREFIX - bytes.len(),
        Some((prefix, rest)) => (u32::from_le_bytes(*prefix) as usize)
            .min(MAX_FRAME)
            .saturating_sub(rest.len()),
    }
}

fn body_of(kind: u8, body: &[u8]) -> Option<Frame<'_>> {
    Some(match kind {
        HELLO => Frame::Hello { manifest: body },
        REFUSED => Frame::Refused { reason: body },
        START => Frame::Start { settings: body },
        READY if body.is_empty() => Frame::Ready,
        STOP if body.is_empty() => Frame::Stop,
        LOG => {
            let (&level, message) = body.split_first()?;
            Frame::Log { level, message }
        }
        RETURN => {
            let (id, rest) = number(body)?;
            let (&status, payload) = rest.split_first()?;
            Frame::Return {
                id,
                ok: status == 0,
                payload,
            }
        }
        CALL => {
            let (id, rest) = number(body)?;
            let (parent, rest) = number(rest)?;
            let (&caller, rest) = rest.split_first()?;
            let (name_len, rest) = rest.split_first_chunk::<2>()?;
            let (name, parameters) = rest.split_at_checked(usize::from(u16::from_le_bytes(*name_len)))?;
            Frame::Call {
                id,
                parent,
                caller,
                function: std::str::from_utf8(name).ok()?,
                parameters,
            }
        }
        _ => return None,
    })
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Frame<'static>; 8] = [
        Frame::Hello { manifest: b"{}" },
        Frame::Refused {
            reason: "schl\u{fc}ssel".as_bytes(),
        },
        Frame::Start {
            settings: b"{\"a\":1}",
        },
        Frame::Ready,
        Frame::Call {
            id: 1,
            parent: 0,
            caller: 3,
            function: "echo.hello",
            parameters: b"[1]",
        },
        Frame::Return {
            id: u64::MAX,
            ok: false,
            payload: b"",
        },
        Frame::Log {
            level: 2,
            message: b"line",
        },
        Frame::Stop,
    ];

    #[test]
    fn every_frame_survives_the_way_there() {
        let mut bytes = Vec::new();
        for frame in ALL {
            frame.encode(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        for expected in ALL {
            let (frame, used) = decode(rest).unwrap().unwrap();
            assert_eq!(frame, expected);
            rest = &rest[used..];
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn every_cut_asks_for_more_and_never_panics() {
        for frame in ALL {
            let mut bytes = Vec::new();
            frame.encode(&mut bytes).unwrap();
            for cut in 0..bytes.len() {
                assert_eq!(decode(&bytes[..cut]), Ok(None));
                assert!(missing(&bytes[..cut]) > 0 && missing(&bytes[..cut]) <= bytes.len() - cut);
            }
            assert_eq!(missing(&bytes), 0);
        }
    }

    #[test]
    fn garbage_is_refused() {
        assert_eq!(
            decode(&[255, 255, 255, 255]),
            Err(WireError::TooLong(u32::MAX as usize))
        );
        assert_eq!(decode(&[0, 0, 0, 0]), Err(WireError::Malformed));
        assert_eq!(decode(&[1, 0, 0, 0, 99]), Err(WireError::Malformed));
        assert_eq!(decode(&[2, 0, 0, 0, CALL, 0]), Err(WireError::Malformed));
        assert_eq!(decode(&[2, 0, 0, 0, READY, 0]), Err(WireError::Malformed));
    }

    #[test]
    fn a_frame_over_the_limit_is_not_sent() {
        let long = vec![b' '; MAX_FRAME];
        let mut out = b"before".to_vec();
        let sent = Frame::Start { settings: &long }.encode(&mut out);
        assert_eq!(sent, Err(WireError::TooLong(MAX_FRAME + 1)));
        assert_eq!(out, b"before");
    }
}
