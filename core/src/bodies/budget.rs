//! Who holds how much of a budget of bytes, and who gives way when it is used up.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Bytes that are lent to those who read bodies.
#[derive(Debug)]
pub(super) struct Budget {
    most: usize,
    most_of_a_network: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: usize,
    /// In the order of their start.
    readers: HashMap<u64, Reader>,
    networks: HashMap<IpAddr, Network>,
    /// Who waits: how much more they want, and their numbers. Those who want least come first, and of these the latest, who
    /// is least likely to be one of a flood that waits.
    waiting: BTreeSet<(usize, Reverse<u64>)>,
    next: u64,
}

#[derive(Debug)]
struct Reader {
    network: IpAddr,
    held: usize,
    /// How much more it waits for.
    wanted: usize,
    /// A body that has arrived is being worked on, and cannot give way.
    is_reading: bool,
    is_evicted: bool,
    evict: Arc<Notify>,
    granted: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Network {
    readers: usize,
    held: usize,
}

/// What one reader holds; returned when it is dropped.
#[derive(Debug)]
pub struct Share {
    budget: Arc<Budget>,
    number: u64,
    evict: Arc<Notify>,
    granted: Arc<Notify>,
}

impl Budget {
    pub(super) fn new(most: usize, most_of_a_network: usize) -> Self {
        Self {
            most,
            most_of_a_network,
            state: Mutex::default(),
        }
    }

    /// A reader that holds nothing yet.
    pub(super) fn enter(budget: &Arc<Self>, network: IpAddr) -> Share {
        let (evict, granted) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let mut state = budget.lock();
        let number = state.next;
        state.next += 1;
        state.networks.entry(network).or_default().readers += 1;
        let reader = Reader {
            network,
            held: 0,
            wanted: 0,
            is_reading: true,
            is_evicted: false,
            evict: Arc::clone(&evict),
            granted: Arc::clone(&granted),
        };
        state.readers.insert(number, reader);
        drop(state);
        Share {
            budget: Arc::clone(budget),
            number,
            evict,
            granted,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.lock().held
    }

    #[cfg(test)]
    pub(super) fn readers(&self) -> usize {
        self.lock().readers.len()
    }
}

impl Share {
    /// Notified when this reader has to give way.
    pub(super) fn evicted(&self) -> Arc<Notify> {
        Arc::clone(&self.evict)
    }

    /// Takes more, and waits until it is there. Who gives up waiting drops the share.
    pub(super) async fn grow_to(&mut self, held: usize) {
        if !self.budget.lock().take(&self.budget, self.number, held) {
            self.granted.notified().await;
        }
    }

    /// The body has arrived: from now on it is worked on, and gives way to no other.
    pub(super) fn finish(&self) {
        if let Some(reader) = self.budget.lock().readers.get_mut(&self.number) {
            reader.is_reading = false;
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut state = self.budget.lock();
        state.leave(self.number);
        state.serve_waiting(&self.budget);
    }
}

impl State {
    /// Whether the reader now holds what it wants; otherwise others give way, and it waits.
    fn take(&mut self, budget: &Budget, number: u64, held: usize) -> bool {
        if let Some(reader) = self.readers.get_mut(&number) {
            reader.wanted = held.saturating_sub(reader.held);
        }
        if self.grant(budget, number) {
            return true;
        }
        self.make_room(budget, number);
        if let Some(reader) = self.readers.get(&number) {
            self.waiting.insert((reader.wanted, Reverse(number)));
        }
        false
    }

    /// Gives a reader what it wants, if that is there.
    fn grant(&mut self, budget: &Budget, number: u64) -> bool {
        let Some(reader) = self.readers.get(&number) else {
            return false;
        };
        let (held, wanted) = (reader.held, reader.wanted);
        let of_network = self.held_by(reader.network);
        if self.held + wanted > budget.most || of_network + wanted > budget.most_of_a_network {
            return false;
        }
        self.waiting.remove(&(wanted, Reverse(number)));
        self.resize(number, held + wanted);
        true
    }

    /// Hands what was returned to those who wait. The first who does not get enough makes others give way once more.
    fn serve_waiting(&mut self, budget: &Budget) {
        let mut is_first = true;
        for (wanted, Reverse(number)) in self.waiting.clone() {
            if self.grant(budget, number) {
                if let Some(reader) = self.readers.get(&number) {
                    reader.granted.notify_one();
                }
                continue;
            }
            if std::mem::take(&mut is_first) {
                self.make_room(budget, number);
            }
            if self.held + wanted > budget.most {
                // All others want as much, or more.
                return;
            }
        }
    }

    fn leave(&mut self, number: u64) {
        self.resize(number, 0);
        let Some(reader) = self.readers.remove(&number) else {
            return;
        };
        self.waiting.remove(&(reader.wanted, Reverse(number)));
        if let Some(network) = self.networks.get_mut(&reader.network) {
            network.readers -= 1;
            if network.readers == 0 {
                self.networks.remove(&reader.network);
            }
        }
    }

    fn resize(&mut self, number: u64, held: usize) {
        let Some(reader) = self.readers.get_mut(&number) else {
            return;
        };
        self.held = self.held - reader.held + held;
        if let Some(network) = self.networks.get_mut(&reader.network) {
            network.held = network.held - reader.held + held;
        }
        reader.held = held;
    }

    fn held_by(&self, network: IpAddr) -> usize {
        self.networks.get(&network).map_or(0, |network| network.held)
    }

    /// Makes others give way to a reader: those of its own network when that holds too much, else those of any.
    fn make_room(&mut self, budget: &Budget, number: u64) {
        let Some(reader) = self.readers.get(&number) else {
            return;
        };
        let (network, wanted, held) = (reader.network, reader.wanted, reader.held + reader.wanted);
        let over_network = (self.held_by(network) + wanted).saturating_sub(budget.most_of_a_network);
        let over_all = (self.held + wanted).saturating_sub(budget.most);
        if over_network > 0 {
            self.evict(number, held, over_network, Some(network));
        } else if over_all > 0 {
            self.evict(number, held, over_all, None);
        }
    }

    /// Evicts readers that hold at least what another wants to, until `needed` bytes are on their way back: those of the
    /// network that holds most first, of these the largest, and of equal ones the oldest.
    fn evict(&mut self, for_reader: u64, wanted: usize, needed: usize, only: Option<IpAddr>) {
        let is_concerned = |reader: &Reader| only.is_none_or(|network| network == reader.network);
        let leaving = self
            .readers
            .values()
            .filter(|reader| reader.is_evicted && is_concerned(reader));
        let mut leaving: usize = leaving.map(|reader| reader.held).sum();
        while leaving < needed {
            let candidates = self.readers.iter().filter(|(number, reader)| {
                **number != for_reader
                    && reader.is_reading
                    && !reader.is_evicted
                    && is_concerned(reader)
                    && (reader.held > wanted || (reader.held == wanted && **number < for_reader))
            });
            let first = candidates.max_by_key(|(number, reader)| {
                (self.held_by(reader.network), reader.held, Reverse(**number))
            });
            let Some(first) = first.map(|(number, _)| *number) else {
                return;
            };
            if let Some(reader) = self.readers.get_mut(&first) {
                reader.is_evicted = true;
                leaving += reader.held;
                reader.evict.notify_one();
            }
        }
    }
}
