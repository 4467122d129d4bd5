//! What is still to be sent to a host process.
//!
//! The bytes are in blocks that are freed as soon as they are sent. One buffer for all of them would keep the size of the
//! largest load for as long as the plugin runs, and move what is left to its front at every write.

use std::collections::VecDeque;
use std::io;

/// Frames share a block until it has this size. A block up to this size is kept for the next frame.
const BLOCK: usize = 64 * 1024;

#[derive(Default)]
pub(super) struct Outgoing {
    blocks: VecDeque<Vec<u8>>,
    /// How much of the first block is sent.
    sent: usize,
}

impl Outgoing {
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes to be sent.
    pub(super) fn len(&self) -> usize {
        self.blocks.iter().map(Vec::len).sum::<usize>() - self.sent
    }

    /// Where the next frame is appended.
    pub(super) fn end(&mut self) -> &mut Vec<u8> {
        if self.blocks.back().is_none_or(|block| block.len() >= BLOCK) {
            self.blocks.push_back(Vec::new());
        }
        let last = self.blocks.len() - 1;
        &mut self.blocks[last]
    }

    /// Sends until everything is sent or `write` fails.
    ///
    /// # Errors
    /// That of `write`.
    pub(super) fn send(&mut self, mut write: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<()> {
        while let Some(block) = self.blocks.front() {
            if self.sent < block.len() {
                self.sent += write(&block[self.sent..])?;
                continue;
            }
            self.sent = 0;
            let sent = self.blocks.pop_front();
            let spare = sent.filter(|block| self.blocks.is_empty() && block.capacity() <= BLOCK);
            if let Some(mut spare) = spare {
                spare.clear();
                self.blocks.push_back(spare);
                return Ok(());
            }
        }
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(outgoing: &Outgoing) -> usize {
        outgoing.blocks.iter().map(Vec::capacity).sum()
    }

    /// Large frames all at once, and many small ones.
    #[test]
    fn ux05_what_is_sent_takes_no_memory() {
        for (count, size) in [(20, 1 << 20), (200_000, 100)] {
            let mut outgoing = Outgoing::default();
            let mut expected = Vec::new();
            for number in 0..count {
                let frame = vec![number as u8; size];
                outgoing.end().extend_from_slice(&frame);
                expected.extend_from_slice(&frame);
            }
            assert_eq!(outgoing.len(), expected.len());
            let mut received = Vec::new();
            let mut stalls = 0;
            while !outgoing.is_empty() {
                let mut room = 300_000;
                let sent = outgoing.send(|bytes| {
                    let taken = bytes.len().min(room);
                    room -= taken;
                    received.extend_from_slice(&bytes[..taken]);
                    match taken {
                        0 => Err(io::ErrorKind::WouldBlock.into()),
                        taken => Ok(taken),
                    }
                });
                stalls += usize::from(sent.is_err());
                assert!(held(&outgoing) <= 2 * (outgoing.len() + size + BLOCK));
            }
            assert!(stalls > 0);
            assert!(received == expected);
            assert!(held(&outgoing) <= BLOCK, "{} bytes", held(&outgoing));
        }
    }
}
