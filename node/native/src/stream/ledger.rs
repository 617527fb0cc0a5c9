//! An account of all bytes that a party reads from streams, for tests: a byte that is read twice is noise or a mask that
//! serves twice.
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex};

type Key = [u8; 32];

/// Reads by key of the stream.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<BTreeMap<Key, Vec<Range<u128>>>>>);

/// Where a stream enters its reads.
#[derive(Clone)]
pub struct Account {
    ledger: Ledger,
    key: Key,
}

thread_local! {
    static CURRENT: RefCell<Option<Ledger>> = const { RefCell::new(None) };
}

impl Ledger {
    /// Runs `work`. Whatever is read from streams that are made on this thread meanwhile is entered, on any thread.
    pub fn watch<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = CURRENT.replace(Some(self.clone()));
        let result = work();
        CURRENT.set(before);
        result
    }

    /// Bytes that were read more than once.
    pub fn twice(&self) -> Vec<(Key, Range<u128>)> {
        let mut entries = self.0.lock().expect("no panic while entering");
        let mut found = Vec::new();
        for (key, reads) in entries.iter_mut() {
            reads.sort_unstable_by_key(|range| range.start);
            let mut end = 0;
            for range in reads {
                if range.start < end {
                    found.push((*key, range.start..end.min(range.end)));
                }
                end = end.max(range.end);
            }
        }
        found
    }

    /// Keys of all streams that were read.
    pub fn keys(&self) -> BTreeSet<Key> {
        self.0.lock().expect("no panic while entering").keys().copied().collect()
    }
}

pub fn account(key: &Key) -> Option<Account> {
    CURRENT.with_borrow(|ledger| Some(Account { ledger: ledger.clone()?, key: *key }))
}

pub fn enter(account: &Option<Account>, start: u128, length: usize) {
    let Some(Account { ledger, key }) = account else { return };
    if length > 0 {
        let mut entries = ledger.0.lock().expect("no panic while entering");
        entries.entry(*key).or_default().push(start..start + length as u128);
    }
}

#[cfg(test)]
mod tests {
    use super::super::SecretStream;
    use super::*;

    fn reads(key: u8, work: impl FnOnce(&SecretStream)) -> Vec<Range<u128>> {
        let ledger = Ledger::default();
        ledger.watch(|| work(&SecretStream::new(&[key; 32])));
        ledger.twice().into_iter().map(|(_, range)| range).collect()
    }

    #[test]
    fn a_byte_that_is_read_twice_is_found_and_neighbours_are_not() {
        let all: [Range<u128>; 0] = [];
        assert_eq!(reads(1, |s| (0..9).for_each(|i| s.fill(2 * i, &mut [0; 32]))), all);
        assert_eq!(reads(1, |s| (0..9).for_each(|i| s.read(8 * i, &mut [0; 8]))), all);
        assert_eq!(reads(1, |s| [8, 0, 8].into_iter().for_each(|i| s.read(i, &mut [0; 8]))), [8..16]);
        assert_eq!(reads(1, |s| [5, 0].into_iter().for_each(|i| s.fill(i, &mut [0; 96]))), [80..96]);
        let inside = reads(1, |s| {
            s.fill(0, &mut [0; 160]);
            s.word(3);
        });
        assert_eq!(inside, [48..64]);
    }

    #[test]
    fn a_stream_that_is_made_again_has_the_same_account() {
        let ledger = Ledger::default();
        for key in [1, 2, 1] {
            ledger.watch(|| SecretStream::new(&[key; 32])).fill(0, &mut [0; 16]);
        }
        SecretStream::new(&[2; 32]).fill(0, &mut [0; 16]);
        assert_eq!(ledger.twice(), [([1; 32], 0..16)]);
        assert_eq!(ledger.keys().len(), 2);
    }
}
