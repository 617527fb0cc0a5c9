//! Where rows that are checked one by one stand among places of noise, from the coin. Public.
use super::section::{Mode, Section};
use crate::stream::SecretStream;

/// A place of noise and the sign of the row in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub index: usize,
    pub negative: bool,
}

/// See the module.
pub struct Slots {
    pub slots: usize,
    /// By time: the place of every row, no two the same.
    pub times: Vec<Vec<Slot>>,
}

impl Slots {
    /// Nothing for sections whose rows are added up. `coins` gives a stream for each time.
    pub fn draw(section: &Section, coins: impl Fn(u8) -> SecretStream) -> Option<Slots> {
        let Mode::Slots { slots, times } = section.mode() else { return None };
        let rows = section.rows.len();
        let times = (0..times).map(|time| places(slots, rows, &coins(time as u8))).collect();
        Some(Slots { slots, times })
    }
}

/// The first `rows` places in the order of random words, whose lowest bits are signs.
fn places(slots: usize, rows: usize, coins: &SecretStream) -> Vec<Slot> {
    let mut bytes = vec![0; 8 * slots];
    coins.fill(0, &mut bytes);
    let words = bytes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
    let mut order: Vec<(u64, usize)> = words.zip(0..).collect();
    order.sort_unstable_by_key(|&(word, index)| (word >> 1, index));
    order.truncate(rows);
    order.into_iter().map(|(word, index)| Slot { index, negative: word & 1 == 1 }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::layout::PartId;
    use super::*;

    fn draw(rows: std::ops::Range<usize>, coin: u8) -> Slots {
        let section = Section { part: PartId::KeySwitching, rows };
        Slots::draw(&section, |time| SecretStream::new(&[16 * coin + time; 32])).expect("rows one by one")
    }

    #[test]
    fn only_rows_that_are_not_added_up_have_places() {
        let section = |part: PartId| Section { part, rows: 0..part.part().rows() };
        let placed = |part| Slots::draw(&section(part), |_| SecretStream::new(&[0; 32])).is_some();
        let parts: Vec<PartId> = PartId::ALL.into_iter().filter(|&part| placed(part)).collect();
        assert_eq!(parts, [PartId::KeySwitching, PartId::CompactKeySwitching]);
    }

    #[test]
    fn every_row_has_a_place_of_its_own_each_time() {
        let drawn = draw(0..8192, 0);
        assert_eq!((drawn.slots, drawn.times.len()), (20_480, 3));
        for places in &drawn.times {
            let mut taken: Vec<usize> = places.iter().map(|slot| slot.index).collect();
            taken.sort_unstable();
            taken.dedup();
            assert_eq!(taken.len(), 8192);
            assert!(taken.last() < Some(&20_480));
        }
        assert_ne!(drawn.times[0], drawn.times[1]);
        assert_ne!(drawn.times[0], draw(0..8192, 1).times[0]);
    }

    /// Quarters of the places against quarters of the rows, and signs: all equally likely.
    #[test]
    fn places_and_signs_are_uniform() {
        let mut counts = [[[0f64; 2]; 4]; 4];
        let coins = 15;
        for coin in 0..coins {
            for places in draw(0..8192, coin).times {
                for (row, slot) in places.iter().enumerate() {
                    counts[row / 2048][slot.index / 5120][usize::from(slot.negative)] += 1.0;
                }
            }
        }
        let want = f64::from(coins) * 3.0 * 8192.0 / 32.0;
        let chi: f64 =
            counts.as_flattened().as_flattened().iter().map(|count| (count - want).powi(2) / want).sum();
        // About 28 degrees of freedom.
        assert!(chi < 28.0 + 5.0 * 56f64.sqrt(), "{chi}");
    }
}
