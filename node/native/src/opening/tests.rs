use super::field::{self, Symbol, mul};
use super::newton::Newton;
use super::session::{MAX_BLOCKS, Opening};
use crate::errors::Code;
use crate::ring::Gr;
use crate::ring::committee::Subset;
use crate::ring::shamir::{dot, evaluate, lagrange};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng, rngs::StdRng};

const COMMITTEES: [(usize, usize); 6] = [(4, 1), (5, 1), (7, 2), (10, 3), (13, 4), (15, 4)];

/// One value per block and what every party sent of it, by party - 1.
struct Dealt {
    n: usize,
    t: usize,
    values: Vec<Gr>,
    shares: Vec<Vec<Gr>>,
}

impl Dealt {
    fn new(n: usize, t: usize, blocks: usize, rng: &mut StdRng) -> Dealt {
        let values: Vec<Gr> = (0..blocks).map(|_| Gr(rng.r#gen())).collect();
        let polynomials: Vec<Vec<Gr>> =
            values.iter().map(|_| (0..t).map(|_| Gr(rng.r#gen())).collect()).collect();
        let share = |party| values.iter().zip(&polynomials).map(|(v, p)| evaluate(*v, p, party)).collect();
        Dealt { n, t, shares: (1..=n).map(share).collect(), values }
    }

    fn bytes(&self, party: usize) -> Vec<u8> {
        self.shares[party - 1].iter().flat_map(|element| element.to_bytes()).collect()
    }

    fn opened(&self) -> Vec<u8> {
        self.values.iter().flat_map(|element| element.to_bytes()).collect()
    }

    /// Opens in this order: the state after each arrival.
    fn open(&self, order: &[usize]) -> Vec<Option<(Subset, Vec<u8>)>> {
        let mut opening = Opening::new(self.n, self.t, self.values.len()).expect("allowed");
        order
            .iter()
            .map(|&party| {
                let liars = opening.add(party, &self.bytes(party)).expect("well-formed");
                assert_eq!(liars.is_some(), opening.values().is_some());
                liars.map(|liars| (liars, opening.values().expect("open")))
            })
            .collect()
    }
}

/// A difference that is not zero: anywhere, in one bit alone, or only from some bit on.
fn lie(rng: &mut StdRng) -> Gr {
    let bit = rng.gen_range(0..128);
    let mut delta = match rng.gen_range(0..3) {
        0 => Gr(rng.r#gen()),
        1 => Gr::alpha(rng.gen_range(1..16)).scale(1 << bit),
        _ => Gr(rng.r#gen::<[u128; 4]>().map(|c| c << bit)),
    };
    if delta == Gr::ZERO {
        delta = Gr::scalar(1 << 127);
    }
    delta
}

fn set(parties: &[usize]) -> Subset {
    Subset(parties.iter().fold(0, |mask, party| mask | 1 << (party - 1)))
}

/// The rule, without any memory: what is decided when exactly these parties were heard.
fn model(dealt: &Dealt, heard: &[usize]) -> Option<(Subset, Vec<u8>)> {
    let (t, mut liars, mut values) = (dealt.t, 0, Vec::new());
    for block in 0..dealt.values.len() {
        let share = |party: usize| dealt.shares[party - 1][block];
        let (value, off) =
            (0u32..1 << heard.len()).filter(|mask| mask.count_ones() as usize == t + 1).find_map(|mask| {
                let base: Vec<usize> =
                    heard.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1).map(|(_, &p)| p).collect();
                let points: Vec<Gr> = base.iter().map(|&p| share(p)).collect();
                let on = |party: usize| dot(&lagrange(&base, party), &points) == share(party);
                let off: Vec<usize> = heard.iter().copied().filter(|&party| !on(party)).collect();
                (heard.len() - off.len() > 2 * t).then(|| (dot(&lagrange(&base, 0), &points), set(&off)))
            })?;
        liars |= off.0;
        values.extend(value.to_bytes());
    }
    (Subset(liars).len() <= t).then_some((Subset(liars), values))
}

fn orders(parties: &[usize]) -> Vec<Vec<usize>> {
    if parties.is_empty() {
        return vec![vec![]];
    }
    let rest = |party: usize| parties.iter().copied().filter(|&p| p != party).collect::<Vec<_>>();
    parties
        .iter()
        .flat_map(|&party| orders(&rest(party)).into_iter().map(move |order| [&[party], &order[..]].concat()))
        .collect()
}

/// All sets of at most t parties, ascending.
fn liar_sets(n: usize, t: usize) -> impl Iterator<Item = Vec<usize>> {
    (0u16..1 << n).map(Subset).filter(move |liars| liars.len() <= t).map(|liars| liars.members().collect())
}

/// What holds with at most t liars, in any order: never a wrong value, never an honest culprit, a value as soon as 2t + 1
/// honest shares more than the silent liars allow for are there, and in the end every liar named.
fn check(dealt: &Dealt, order: &[usize], liars: &[usize]) {
    let (n, t) = (dealt.n, dealt.t);
    let states = dealt.open(order);
    let mut honest = 0;
    for (i, state) in states.iter().enumerate() {
        honest += usize::from(!liars.contains(&order[i]));
        match state {
            Some((named, values)) => {
                assert_eq!(*values, dealt.opened(), "{n}/{t} {order:?} {liars:?}");
                assert_eq!(named.0 & !set(liars).0, 0, "an honest party is named: {order:?} {liars:?}");
                assert!(i >= 2 * t);
            }
            None => assert!(honest <= 2 * t, "{n}/{t}: {honest} honest shares, {order:?} {liars:?}"),
        }
    }
    assert_eq!(states.last().cloned().flatten().expect("open").0, set(liars));
}

#[test]
fn small_committees_open_for_every_set_of_liars_in_every_order() {
    let mut rng = StdRng::seed_from_u64(1);
    for (n, t) in [(4, 1), (5, 1), (7, 2)] {
        let orders = orders(&(1..=n).collect::<Vec<_>>());
        for liars in liar_sets(n, t) {
            let mut dealt = Dealt::new(n, t, 2, &mut rng);
            for &liar in &liars {
                let block = rng.gen_range(0..2);
                dealt.shares[liar - 1][block] += lie(&mut rng);
            }
            for order in &orders {
                check(&dealt, order, &liars);
            }
        }
    }
}

#[test]
fn large_committees_open_for_every_set_of_liars() {
    let mut rng = StdRng::seed_from_u64(2);
    for (n, t) in COMMITTEES {
        for liars in liar_sets(n, t) {
            let mut dealt = Dealt::new(n, t, 3, &mut rng);
            for &liar in &liars {
                for block in 0..3 {
                    if rng.r#gen() {
                        dealt.shares[liar - 1][block] += lie(&mut rng);
                    }
                }
                dealt.shares[liar - 1][0] += Gr::scalar(1 << rng.gen_range(100..128));
            }
            let lied: Vec<usize> = liars
                .iter()
                .copied()
                .filter(|&liar| {
                    let honest = |b: usize| {
                        let others: Vec<usize> = (1..=n).filter(|p| !liars.contains(p)).take(t + 1).collect();
                        let points: Vec<Gr> = others.iter().map(|&p| dealt.shares[p - 1][b]).collect();
                        dot(&lagrange(&others, liar), &points) == dealt.shares[liar - 1][b]
                    };
                    !(0..3).all(honest)
                })
                .collect();
            let mut order: Vec<usize> = (1..=n).collect();
            order.shuffle(&mut rng);
            check(&dealt, &order, &lied);
            order.sort_by_key(|party| !liars.contains(party));
            check(&dealt, &order, &lied);
        }
    }
}

/// The worst that t liars can do to one block: all in the base, each wrong at a bit of its own.
#[test]
fn liars_that_are_first_and_differ_at_bits_of_their_own_are_found_one_by_one() {
    let mut rng = StdRng::seed_from_u64(3);
    for (n, t) in COMMITTEES {
        let mut dealt = Dealt::new(n, t, 16, &mut rng);
        for block in 0..16 {
            for liar in 1..=t {
                let bit = 8 * block + 7 * ((liar + block) % t) / t.max(2);
                dealt.shares[liar - 1][block] += Gr([rng.r#gen(), 1, rng.r#gen(), 0]).scale(1 << bit);
            }
        }
        let order: Vec<usize> = (1..=n).collect();
        check(&dealt, &order, &(1..=t).collect::<Vec<_>>());
    }
}

/// Liars that follow another polynomial wherever they can are outvoted, never believed.
#[test]
fn liars_that_agree_on_another_polynomial_are_named() {
    let mut rng = StdRng::seed_from_u64(4);
    for (n, t) in COMMITTEES {
        for bit in [0, 1, 64, 90, 127] {
            let mut dealt = Dealt::new(n, t, 1, &mut rng);
            let randomness: Vec<Gr> = (0..t).map(|_| Gr(rng.r#gen())).collect();
            for liar in 1..=t {
                dealt.shares[liar - 1][0] += evaluate(Gr::ONE, &randomness, liar).scale(1 << bit);
            }
            let liars: Vec<usize> =
                (1..=t).filter(|&p| evaluate(Gr::ONE, &randomness, p).scale(1 << bit) != Gr::ZERO).collect();
            check(&dealt, &(1..=n).collect::<Vec<_>>(), &liars);
            check(&dealt, &(1..=n).rev().collect::<Vec<_>>(), &liars);
        }
    }
}

#[test]
fn any_number_of_liars_gives_what_the_rule_without_memory_gives() {
    let mut rng = StdRng::seed_from_u64(5);
    for (n, t, runs) in [(4, 1, 400), (5, 1, 400), (7, 2, 150), (10, 3, 10), (13, 4, 2)] {
        for _ in 0..runs {
            let mut dealt = Dealt::new(n, t, 2, &mut rng);
            let forged = Dealt::new(n, t, 2, &mut rng);
            let shift = rng.gen_range(0..128);
            for party in 1..=n {
                for block in 0..2 {
                    match rng.gen_range(0..10) {
                        0 => dealt.shares[party - 1][block] += lie(&mut rng),
                        1 => {
                            dealt.shares[party - 1][block] +=
                                forged.shares[party - 1][block].scale(1 << shift)
                        }
                        _ => {}
                    }
                }
            }
            let mut order: Vec<usize> = (1..=n).collect();
            order.shuffle(&mut rng);
            let mut open = false;
            for (i, state) in dealt.open(&order).into_iter().enumerate() {
                let want = model(&dealt, &order[..=i]);
                if !open {
                    assert_eq!(state, want, "{n}/{t} {:?}", &order[..=i]);
                }
                open |= want.is_some();
                assert_eq!(state.is_some(), open);
            }
        }
    }
}

#[test]
fn a_late_share_off_the_polynomial_names_its_sender_and_changes_no_value() {
    let mut rng = StdRng::seed_from_u64(6);
    let mut dealt = Dealt::new(5, 1, 2, &mut rng);
    dealt.shares[3][1] += Gr([0, 0, 0, 1 << 127]);
    let states = dealt.open(&[1, 2, 3, 4, 5]);
    assert_eq!(states[2], Some((Subset(0), dealt.opened())));
    assert_eq!(states[4], Some((set(&[4]), dealt.opened())));
}

#[test]
fn sizes_parties_and_lengths_outside_the_rules_are_refused() {
    for (n, t, blocks) in [(4, 2, 1), (16, 4, 1), (4, 1, 0), (4, 1, MAX_BLOCKS + 1)] {
        assert_eq!(Opening::new(n, t, blocks).unwrap_err().code, Code::Config);
    }
    let mut opening = Opening::new(4, 1, 2).expect("allowed");
    for party in [0, 5] {
        assert_eq!(opening.add(party, &[0; 128]).unwrap_err().code, Code::Config);
    }
    for length in [0, 64, 127, 129, 192] {
        let failure = opening.add(1, &vec![0; length]).unwrap_err();
        assert_eq!((failure.code, failure.culprits), (Code::ShareMalformed, vec![1]));
    }
    assert_eq!(opening.add(1, &[0; 128]), Ok(None));
    assert_eq!(opening.add(1, &[0; 128]).unwrap_err().code, Code::Config);
    assert_eq!(opening.values(), None);
}

#[test]
fn the_newton_form_equals_lagrange_interpolation() {
    let mut rng = StdRng::seed_from_u64(7);
    for _ in 0..50 {
        let mut parties: Vec<usize> = (1..16).collect();
        parties.shuffle(&mut rng);
        let parties = &parties[..rng.gen_range(1..8)];
        let values: Vec<Gr> = parties.iter().map(|_| Gr(rng.r#gen())).collect();
        let mut form = Newton::with_capacity(parties.len());
        parties.iter().zip(&values).for_each(|(&party, &value)| form.push(party, value));
        for at in 0..16 {
            assert_eq!(form.at(at), dot(&lagrange(parties, at), &values));
        }
    }
}

#[test]
fn the_decoder_finds_every_pattern_of_few_errors_and_no_other() {
    let mut rng = StdRng::seed_from_u64(8);
    for (count, size) in [(3, 2), (4, 2), (5, 2), (7, 3), (10, 4), (13, 5), (15, 5)] {
        let most = (count - size) / 2;
        for pattern in 0u16..1 << count {
            let polynomial: Vec<u8> = (0..size).map(|_| rng.gen_range(0..16)).collect();
            let word: Vec<Symbol> = (0..count as u8)
                .map(|i| {
                    let y = polynomial.iter().rev().fold(0, |sum, &c| mul(sum, i + 1) ^ c);
                    let wrong = if pattern >> i & 1 == 1 { rng.gen_range(1..16) } else { 0 };
                    Symbol { x: i + 1, y: y ^ wrong }
                })
                .collect();
            if pattern.count_ones() as usize <= most {
                assert_eq!(field::errors(&word, size, most), Some(pattern), "{count} {size}");
            } else if let Some(found) = field::errors(&word, size, most) {
                assert!(found.count_ones() as usize <= most);
            }
            for fewer in 0..most.min(pattern.count_ones() as usize) {
                assert_ne!(field::errors(&word, size, fewer), Some(pattern));
            }
        }
    }
}
