//! The attacks of docs/keygen.md §5 against the real rounds. The adversary holds parties 1..=t, pools what they know and
//! speaks last. Every attack must end in an abort with the expected code; against a ceremony without the check it passes.
use super::combination::REPETITIONS;
use super::message::{elements, put_elements};
use super::stage::Stage;
use super::table::{Outcome, Turn, extrapolate, honest, reconstruct, run};
use crate::errors::Code;
use crate::ring::element::GR_BYTES;
use crate::ring::shamir::{dot, lagrange};
use crate::ring::{Committee, Gr};
use std::collections::BTreeSet;
use zeroize::Zeroizing;

const COMMITTEES: [(usize, usize); 2] = [(4, 1), (7, 2)];
const RUNS: usize = 8;

fn committee((n, t): (usize, usize)) -> Committee {
    Committee::new(n, t).expect("allowed")
}

/// Adds `delta(receiver)` to element `e` of what corrupt party 1 sends privately.
fn shift(turn: &mut Turn<'_>, e: usize, delta: impl Fn(usize) -> Gr) {
    for (q, message) in turn.messages[0].private.iter_mut().enumerate() {
        let message = message.as_mut().expect("a private round");
        let mut list = elements(message);
        list[e] += delta(q + 1);
        let mut bytes = Vec::new();
        put_elements(&mut bytes, &list);
        *message = Zeroizing::new(bytes);
    }
}

/// The value that corrupt party 1 deals as element `e`.
fn dealt(turn: &Turn<'_>, e: usize) -> Gr {
    let t = turn.committee.t();
    let set: Vec<usize> = (1..=t + 1).collect();
    let shares: Vec<Gr> = (0..=t)
        .map(|q| elements(turn.messages[0].private[q].as_ref().expect("a private round"))[e])
        .collect();
    dot(&lagrange(&set, 0), &shares)
}

/// Puts every corrupt party's points on the polynomials through the honest ones: the best that a rushing liar can do.
fn rush_points(turn: &mut Turn<'_>, degree: usize) {
    let lists: Vec<Vec<Gr>> = turn.honest_broadcasts.iter().map(|b| elements(b)).collect();
    let mut points = vec![Vec::new(); turn.committee.t()];
    for i in 0..lists[0].len() {
        let honest: Vec<Gr> = lists.iter().map(|list| list[i]).collect();
        for (own, point) in points.iter_mut().zip(extrapolate(turn.committee, degree, &honest)) {
            own.push(point);
        }
    }
    for (message, own) in turn.messages.iter_mut().zip(points) {
        message.broadcast.clear();
        put_elements(&mut message.broadcast, &own);
    }
}

/// Both opened checks answered in the rushing way.
fn rush(turn: &mut Turn<'_>) {
    match turn.round {
        "degree-points" => rush_points(turn, turn.committee.t()),
        "product-points" => rush_points(turn, 2 * turn.committee.t()),
        _ => {}
    }
}

fn last_level(committee: Committee) -> String {
    format!("level-{}", committee.n().next_power_of_two().trailing_zeros() - 1)
}

/// Whom a failure must name.
enum Named<'a> {
    /// As culprits; nobody is suspected.
    Exactly(&'a [usize]),
    /// As suspects; nobody is proven.
    OneOf(&'a [usize]),
    /// The cheating dealer, as culprit or with others as suspect: one that speaks last chooses who looks odd.
    TheDealer,
}

/// Runs an attack several times and expects every honest party to fail in `round` with `code` and the culprits.
fn all_abort(
    size: (usize, usize),
    bits: usize,
    round: &str,
    code: Code,
    named: Named<'_>,
    mut attack: impl FnMut(&mut Turn<'_>),
) {
    for attempt in 0..RUNS {
        let committee = committee(size);
        match run(committee, bits, &format!("{round} {attempt}"), &mut attack) {
            Outcome::Passed(_) => panic!("{size:?}: the attack passed"),
            Outcome::Failed(where_, failures) => {
                assert_eq!(where_, round, "{failures:?}");
                assert_eq!(failures.len(), committee.n() - committee.t(), "all honest parties agree");
                for failure in failures {
                    assert_eq!(failure.code, code, "{size:?}");
                    let proven = (failure.culprits.as_slice(), failure.suspects.as_slice());
                    match named {
                        Named::Exactly(culprits) => assert_eq!(proven, (culprits, &[][..]), "{size:?}"),
                        Named::OneOf(suspects) => assert_eq!(proven, (&[][..], suspects), "{size:?}"),
                        Named::TheDealer if failure.suspects.is_empty() => assert_eq!(proven.0, [1]),
                        Named::TheDealer => {
                            assert!(proven.0.is_empty() && proven.1.contains(&1), "{failure}")
                        }
                    }
                }
            }
        }
    }
}

/// The shared values of a run that must pass.
fn values(committee: Committee, label: &str, adversary: &mut dyn FnMut(&mut Turn<'_>)) -> Vec<Gr> {
    match run(committee, 40, label, adversary) {
        Outcome::Passed(finished) => reconstruct(committee, &finished),
        Outcome::Failed(round, failures) => panic!("{round}: {failures:?}"),
    }
}

#[test]
fn honest_runs_share_bits_whatever_the_committee() {
    for size in COMMITTEES {
        let committee = committee(size);
        let values = |label: &str| values(committee, label, &mut honest);
        let bits = values("honest");
        assert!(bits.iter().all(|v| *v == Gr::ZERO || *v == Gr::ONE));
        assert!(bits.contains(&Gr::ZERO) && bits.contains(&Gr::ONE));
        assert_eq!(bits, values("honest"));
        assert_ne!(bits, values("other"));
    }
}

#[test]
fn flipping_one_input_flips_the_shared_bit() {
    for size in COMMITTEES {
        let committee = committee(size);
        let before = values(committee, "flip", &mut honest);
        let after = values(committee, "flip", &mut |turn| {
            if turn.round == "inputs" {
                let flip = Gr::ONE - dealt(turn, 7).scale(2);
                shift(turn, 7, |_| flip);
            }
        });
        for (e, (before, after)) in before.into_iter().zip(after).enumerate() {
            assert_eq!(after, if e == 7 { Gr::ONE - before } else { before });
        }
    }
}

#[test]
fn a_product_error_is_caught_however_the_last_speaker_answers() {
    for size in COMMITTEES {
        let last = last_level(committee(size));
        for error in [Gr([3, 1, 4, 1]), Gr::scalar(1 << 126), Gr([0, 0, 0, 1 << 127]), Gr::scalar(1)] {
            all_abort(size, 1, "product-points", Code::ProductValue, Named::Exactly(&[]), |turn| {
                if turn.round == last {
                    shift(turn, 0, |_| error);
                }
                rush(turn);
            });
        }
    }
}

#[test]
fn a_point_that_cancels_the_error_leaves_the_polynomial() {
    for size in COMMITTEES {
        let last = last_level(committee(size));
        all_abort(size, 1, "product-points", Code::ProductPoints, Named::Exactly(&[]), |turn| {
            if turn.round == last {
                shift(turn, 0, |_| Gr::scalar(1 << 126));
            }
            rush(turn);
            if turn.round == "product-points" {
                cancel_value(turn);
            }
        });
    }
}

/// Moves party 1's points so that interpolation by parties 1..=2t+1 gives zero.
fn cancel_value(turn: &mut Turn<'_>) {
    let t = turn.committee.t();
    let set: Vec<usize> = (1..=2 * t + 1).collect();
    let weights = lagrange(&set, 0);
    let own_weight = weights[0].invert().expect("a unit");
    let lists: Vec<Vec<Gr>> = turn
        .messages
        .iter()
        .map(|m| &m.broadcast)
        .chain(turn.honest_broadcasts)
        .map(|b| elements(b))
        .collect();
    let mut own = lists[0].clone();
    for (i, point) in own.iter_mut().enumerate() {
        let values: Vec<Gr> = lists[..=2 * t].iter().map(|list| list[i]).collect();
        *point -= own_weight * dot(&weights, &values);
    }
    turn.messages[0].broadcast.clear();
    put_elements(&mut turn.messages[0].broadcast, &own);
}

/// The published attacks B and C: an input inconsistent at one honest resharer ("victim"), repaired in every product as far
/// as the adversary knows how, so that only a chosen part of an honest bit stays in the result.
struct Inconsistent {
    committee: Committee,
    /// Twice the error that reaches a product.
    scale: u128,
    /// Guess what the coin will be and shift the blind accordingly.
    guess_blinds: bool,
}

impl Inconsistent {
    fn victim(&self) -> usize {
        self.committee.quorum()
    }

    /// Expresses the victim's share by the secret and the t corrupt shares: coefficients at 0, 1, …, t.
    fn by_secret_and_corrupt(&self) -> Vec<Gr> {
        let set: Vec<usize> = (0..=self.committee.t()).collect();
        lagrange(&set, self.victim())
    }

    fn victim_weight(&self) -> Gr {
        let resharers: Vec<usize> = (1..=self.committee.quorum()).collect();
        lagrange(&resharers, 0)[self.victim() - 1]
    }

    fn inverse_weight(&self) -> Gr {
        (self.victim_weight() * self.by_secret_and_corrupt()[0]).invert().expect("a unit")
    }

    fn deviation(&self) -> Gr {
        self.inverse_weight().scale(self.scale >> 1)
    }

    fn act(&self, turn: &mut Turn<'_>, bits: usize) {
        let (victim, deviation) = (self.victim(), self.deviation());
        let at_victim = |q: usize, delta: Gr| if q == victim { delta } else { Gr::ZERO };
        if turn.round == "inputs" {
            for e in 0..bits {
                shift(turn, e, |q| at_victim(q, deviation));
            }
            if self.guess_blinds {
                for repetition in 0..REPETITIONS {
                    let guess = deviation.mul_alpha(1 + repetition % 15);
                    shift(turn, bits + repetition, |q| at_victim(q, -guess));
                }
            }
        }
        let last = turn.round == last_level(self.committee);
        let known = if turn.round.starts_with("level") { self.known_parts(turn.corrupt) } else { Vec::new() };
        for (e, known) in known.into_iter().enumerate() {
            let repair = -(self.victim_weight() * deviation * known);
            let rest = if last { self.inverse_weight().scale(self.scale >> 2) } else { Gr::ZERO };
            shift(turn, e, |q| repair + at_victim(q, rest));
        }
        rush(turn);
    }

    /// What the corrupt shares contribute to the victim's share of the other factor, per bit of the first pair.
    fn known_parts(&self, corrupt: &[Stage]) -> Vec<Gr> {
        let coefficients = self.by_secret_and_corrupt();
        let factors: Vec<_> = corrupt
            .iter()
            .map(|stage| match stage {
                Stage::Level(round) => round.dealings.nodes[round.pairs()[0].1].clone(),
                _ => panic!("a level"),
            })
            .collect();
        (0..factors[0].len())
            .map(|e| {
                let shares: Vec<Gr> = factors.iter().map(|f| f[e]).collect();
                dot(&coefficients[1..], &shares)
            })
            .collect()
    }
}

#[test]
fn an_inconsistent_input_is_caught_before_any_product_is_opened() {
    for size in COMMITTEES {
        let committee = committee(size);
        let attack = Inconsistent { committee, scale: 1 << 126, guess_blinds: false };
        all_abort(size, 1, "degree-points", Code::DegreeCheck, Named::TheDealer, |turn| attack.act(turn, 1));
    }
}

#[test]
fn the_key_theft_is_caught_also_with_blinds_that_guess_the_coin() {
    for size in COMMITTEES {
        let committee = committee(size);
        for guess_blinds in [false, true] {
            let attack = Inconsistent { committee, scale: 1 << 72, guess_blinds };
            all_abort(size, 12, "degree-points", Code::DegreeCheck, Named::TheDealer, |turn| {
                attack.act(turn, 12)
            });
        }
    }
}

#[test]
fn a_consistent_non_bit_with_a_product_error_is_caught_for_every_honest_bit() {
    for size in COMMITTEES {
        let last = last_level(committee(size));
        all_abort(size, 1, "product-points", Code::ProductValue, Named::Exactly(&[]), |turn| {
            if turn.round == "inputs" {
                let two = Gr::scalar(2) - dealt(turn, 0);
                shift(turn, 0, |_| two);
            }
            if turn.round == last {
                shift(turn, 0, |_| Gr::ONE);
            }
            rush(turn);
        });
    }
}

#[test]
fn an_input_that_is_a_ring_element_is_caught() {
    for size in COMMITTEES {
        for input in [Gr::alpha(2), Gr::scalar(1 << 127), Gr([1, 0, 1 << 90, 0])] {
            all_abort(size, 1, "product-points", Code::ProductValue, Named::Exactly(&[]), |turn| {
                if turn.round == "inputs" {
                    let delta = input - dealt(turn, 0);
                    shift(turn, 0, |_| delta);
                }
                rush(turn);
            });
        }
    }
}

#[test]
fn an_input_of_higher_degree_names_its_dealer_alone() {
    for size in COMMITTEES {
        let power = size.1 + 1;
        let attack = |turn: &mut Turn<'_>| {
            if turn.round == "inputs" {
                shift(turn, 0, |q| (0..power).fold(Gr([7, 7, 7, 7]), |value, _| value.mul_alpha(q)));
            }
        };
        all_abort(size, 8, "degree-points", Code::DegreeCheck, Named::Exactly(&[1]), attack);
        all_abort(size, 8, "degree-points", Code::DegreeCheck, Named::TheDealer, |turn| {
            attack(turn);
            rush(turn);
        });
    }
}

#[test]
fn an_inconsistent_blind_alone_is_caught() {
    for size in COMMITTEES {
        let victim = committee(size).quorum();
        let attack = |turn: &mut Turn<'_>| {
            if turn.round == "inputs" {
                shift(turn, 8, |q| if q == victim { Gr::ONE } else { Gr::ZERO });
            }
        };
        let pair = [1, victim];
        all_abort(size, 8, "degree-points", Code::DegreeCheck, Named::OneOf(&pair), attack);
        all_abort(size, 8, "degree-points", Code::DegreeCheck, Named::TheDealer, |turn| {
            attack(turn);
            rush(turn);
        });
    }
}

#[test]
fn an_inconsistent_resharing_alone_is_caught_at_every_level() {
    for size in COMMITTEES {
        let victim = committee(size).quorum();
        for level in ["level-0".to_string(), last_level(committee(size))] {
            let attack = |turn: &mut Turn<'_>| {
                if turn.round == level {
                    shift(turn, 3, |q| if q == victim { Gr::scalar(1 << 126) } else { Gr::ZERO });
                }
            };
            let pair = [1, victim];
            all_abort(size, 8, "degree-points", Code::DegreeCheck, Named::OneOf(&pair), attack);
            all_abort(size, 8, "degree-points", Code::DegreeCheck, Named::TheDealer, |turn| {
                attack(turn);
                rush(turn);
            });
        }
    }
}

#[test]
fn a_lie_about_an_honest_dealer_names_the_pair() {
    for size in COMMITTEES {
        all_abort(size, 8, "degree-points", Code::DegreeCheck, Named::OneOf(&[1, size.0]), |turn| {
            rush(turn);
            if turn.round == "degree-points" {
                let start = (turn.committee.n() - 1) * REPETITIONS * GR_BYTES;
                turn.messages[0].broadcast[start + 11] ^= 1;
            }
        });
    }
}

#[test]
fn a_lie_about_the_own_dealing_names_the_dealer_alone() {
    for size in COMMITTEES {
        all_abort(size, 8, "degree-points", Code::DegreeCheck, Named::Exactly(&[1]), |turn| {
            rush(turn);
            if turn.round == "degree-points" {
                turn.messages[0].broadcast[11] ^= 1;
            }
        });
    }
}

#[test]
fn a_dealer_that_speaks_last_makes_nobody_honest_a_culprit() {
    // One wrong point, and the corrupt parties fit theirs to the wrong one: an honest receiver of a right point looks odd.
    for size in COMMITTEES {
        let victim = size.0;
        all_abort(size, 8, "degree-points", Code::DegreeCheck, Named::TheDealer, |turn| {
            if turn.round == "inputs" {
                shift(turn, 0, |q| if q == victim { Gr::ONE } else { Gr::ZERO });
            }
            rush(turn);
        });
    }
}

#[test]
fn a_lie_in_one_high_bit_of_a_product_point_is_caught() {
    for size in COMMITTEES {
        all_abort(size, 8, "product-points", Code::ProductPoints, Named::Exactly(&[]), |turn| {
            rush(turn);
            if turn.round == "product-points" {
                // Bit 90 of the coefficient of X in repetition 5: invisible modulo 2.
                turn.messages[0].broadcast[5 * GR_BYTES + 16 + 11] ^= 4;
            }
        });
    }
}

#[test]
fn the_verdict_on_a_wrong_input_does_not_depend_on_honest_bits() {
    // The same attacker against many honest inputs: all that is seen is the same abort (docs/keygen.md §5).
    for size in COMMITTEES {
        let committee = committee(size);
        let mut honest_bits = BTreeSet::new();
        for attempt in 0..20 {
            let label = format!("independent {attempt}");
            honest_bits.insert(values(committee, &label, &mut honest)[0] == Gr::ONE);
            let outcome = run(committee, 40, &label, &mut |turn| {
                rush(turn);
                if turn.round == "inputs" {
                    let two = Gr::scalar(2) - dealt(turn, 0);
                    shift(turn, 0, |_| two);
                }
                if turn.round == "level-1" {
                    shift(turn, 0, |_| Gr::ONE);
                }
            });
            let Outcome::Failed(round, failures) = outcome else { panic!("{size:?}: the attack passed") };
            assert_eq!(round, "product-points", "{size:?}");
            for failure in failures {
                let named = (failure.culprits.as_slice(), failure.suspects.as_slice());
                assert_eq!((failure.code, named), (Code::ProductValue, (&[][..], &[][..])), "{size:?}");
            }
        }
        assert_eq!(honest_bits.len(), 2, "both values of the honest bit have met the attack");
    }
}
