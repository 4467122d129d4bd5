//! Pointers become slices here and nowhere else.
//!
//! The rules, for both sides of the border:
//! - a null pointer, or a length of 0, is the empty slice; a plugin in C has no non-null dangling pointer to offer;
//! - a length over `isize::MAX` is refused, because no slice can have it;
//! - a [`Buffer`] is a boxed slice of the side that made it; only that side turns it back into a box.
#![expect(
    unsafe_code,
    reason = "this file is where raw memory of the other side is read"
)]

use crate::shape::{Buffer, Bytes};

/// Reads bytes that the other side lends.
///
/// # Safety
/// Unless null or of length 0, `bytes.ptr` must point to `bytes.len` readable bytes that stay unchanged for `'a`.
pub unsafe fn borrow<'a>(bytes: Bytes) -> &'a [u8] {
    // SAFETY: the caller's promise is the one `borrow_raw` asks for.
    unsafe { borrow_raw(bytes.ptr, bytes.len) }
}

/// Reads a buffer that the other side gave, before it goes back there.
///
/// # Safety
/// Unless null or of length 0, `buffer.ptr` must point to `buffer.len` readable bytes; they must stay as they are
/// while the slice is used, so the buffer may be freed only afterwards.
pub unsafe fn peek(buffer: &Buffer) -> &[u8] {
    // SAFETY: the caller's promise is the one `borrow_raw` asks for.
    unsafe { borrow_raw(buffer.ptr, buffer.len) }
}

/// Gives bytes away. They come back through [`reclaim`], in the same library.
pub fn give(bytes: Vec<u8>) -> Buffer {
    if bytes.is_empty() {
        return Buffer::empty();
    }
    let boxed = bytes.into_boxed_slice();
    let len = boxed.len();
    Buffer {
        ptr: Box::into_raw(boxed).cast::<u8>(),
        len,
    }
}

/// Takes back what [`give`] gave away; the bytes are freed when the result is dropped.
///
/// # Safety
/// `buffer` must come from [`give`] of this same library, and must not be used again.
pub unsafe fn reclaim(buffer: Buffer) -> Box<[u8]> {
    if buffer.ptr.is_null() || buffer.len == 0 {
        return Box::default();
    }
    // SAFETY: `give` made this pointer and length from a `Box<[u8]>`, and the caller gives it back once.
    unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(buffer.ptr, buffer.len)) }
}

/// # Safety
/// Unless `ptr` is null or `len` is 0, `ptr` must point to `len` readable bytes that stay unchanged for `'a`.
unsafe fn borrow_raw<'a>(ptr: *const u8, len: usize) -> &'a [u8] {
    if ptr.is_null() || len == 0 || isize::try_from(len).is_err() {
        return &[];
    }
    // SAFETY: not null, not longer than a slice may be, and readable by the caller's promise.
    unsafe { std::slice::from_raw_parts(ptr, len) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_empty_are_the_empty_slice() {
        for (ptr, len) in [
            (std::ptr::null(), 0),
            (std::ptr::null(), 7),
            (b"x".as_ptr(), 0),
            (b"x".as_ptr(), usize::MAX),
        ] {
            assert_eq!(unsafe { borrow(Bytes { ptr, len }) }, b"");
        }
    }

    #[test]
    fn lent_bytes_are_read_in_place() {
        let text = b"hello".to_vec();
        let lent = unsafe { borrow(Bytes::of(&text)) };
        assert_eq!(lent, b"hello");
        assert_eq!(lent.as_ptr(), text.as_ptr());
    }

    #[test]
    fn given_bytes_come_back_whole() {
        let mut vec = Vec::with_capacity(100);
        vec.extend_from_slice(b"spare capacity must not matter");
        let buffer = give(vec);
        assert_eq!(unsafe { peek(&buffer) }, b"spare capacity must not matter");
        assert_eq!(&*unsafe { reclaim(buffer) }, b"spare capacity must not matter");
    }

    #[test]
    fn nothing_given_is_nothing_to_free() {
        let buffer = give(Vec::new());
        assert!(buffer.ptr.is_null());
        assert!(unsafe { reclaim(buffer) }.is_empty());
    }
}
