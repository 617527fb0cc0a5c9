//! Broken implementations: real runs whose messages are changed on their way, as if the code made them so.
use super::super::combination::REPETITIONS;
use super::super::message::{Outgoing, elements, put_elements};
use super::super::stage::Stage;
use super::run::{LAST, Run, real, secrets, zeros};
use super::tape::{Kind, interpolation};
use crate::ring::prss::subset_factor;
use crate::ring::shamir::{dot, evaluate, lagrange};
use crate::ring::{Committee, Gr, Subset};
use rand::{Rng, SeedableRng, rngs::StdRng};
use zeroize::Zeroizing;

/// Dealings of the last party that deals in every round are changed; it is honest where the first t are corrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// All inputs are dealt with degree t - 1.
    LowDegree,
    NoBlinds,
    NoZeros,
    /// Zeros of degree t instead of 2t.
    LowZeros,
    /// One polynomial for two bits: their difference is the difference of two shares.
    OnePolynomialForTwoBits,
    /// The same in nine of ten runs.
    OftenOnePolynomialForTwoBits,
    /// A product is reshared with the polynomial of an input.
    OnePolynomialInTwoRounds,
    /// The first coefficient of one sharing is the last one of that before: blocks of a stream overlap.
    OverlappingCoefficients,
    OneBlindForTwoSums,
    /// Two dealers have the same blinds.
    OneBlindForTwoDealers,
    /// The low bit of a blind is a private bit.
    BlindTellsABit,
    /// A blind is the sum of two others.
    BlindsAddUp,
    /// A blind is the sum of another one and of an input's polynomial.
    BlindHoldsAPolynomial,
    OneZeroForTwoSums,
    /// The shared zero and a blind come from one stream.
    ZeroIsABlind,
}

/// Which test must see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Kind(Kind),
    Pair,
    Relation,
}

impl Broken {
    pub const ALL: [(Broken, Seen); 15] = [
        (Broken::LowDegree, Seen::Kind(Kind::Input)),
        (Broken::NoBlinds, Seen::Kind(Kind::Blind)),
        (Broken::NoZeros, Seen::Kind(Kind::Zero)),
        (Broken::LowZeros, Seen::Kind(Kind::Zero)),
        (Broken::OnePolynomialForTwoBits, Seen::Pair),
        (Broken::OftenOnePolynomialForTwoBits, Seen::Pair),
        (Broken::OnePolynomialInTwoRounds, Seen::Pair),
        (Broken::OverlappingCoefficients, Seen::Pair),
        (Broken::OneBlindForTwoSums, Seen::Pair),
        (Broken::OneBlindForTwoDealers, Seen::Pair),
        (Broken::BlindTellsABit, Seen::Pair),
        (Broken::BlindsAddUp, Seen::Relation),
        (Broken::BlindHoldsAPolynomial, Seen::Relation),
        (Broken::OneZeroForTwoSums, Seen::Pair),
        (Broken::ZeroIsABlind, Seen::Pair),
    ];

    /// A run of this implementation.
    pub fn run(self, committee: Committee, bits: usize, number: usize) -> Run {
        let mut implementation = Implementation {
            committee,
            bits,
            broken: self,
            rng: StdRng::seed_from_u64(number as u64),
            dealt: Vec::new(),
        };
        real(
            committee,
            bits,
            &format!("broken {number}"),
            &mut |round: &str, stages: &[Stage], sent: &mut [Outgoing]| {
                implementation.change(round, stages, sent);
            },
        )
    }
}

struct Implementation {
    committee: Committee,
    bits: usize,
    broken: Broken,
    rng: StdRng,
    /// What the victim dealt in round `inputs`.
    dealt: Dealing,
}

/// By receiver: its shares.
type Dealing = Vec<Vec<Gr>>;

impl Implementation {
    fn change(&mut self, round: &str, stages: &[Stage], sent: &mut [Outgoing]) {
        let victim = self.committee.quorum() - 1;
        match round {
            "inputs" if self.broken == Broken::LowDegree => {
                sent.iter_mut().for_each(|sent| self.lower_degree(sent));
            }
            "inputs" => {
                let mut dealing = received(&sent[victim]);
                let secrets = secrets(self.committee, &sent[victim], self.bits + REPETITIONS);
                self.change_inputs(&mut dealing, &secrets, &received(&sent[victim + 1]));
                put(&mut sent[victim], &dealing);
                self.dealt = dealing;
            }
            "level-0" if self.broken == Broken::OnePolynomialInTwoRounds => {
                let mut dealing = received(&sent[victim]);
                let product = secret(self.committee, &dealing, 0);
                let input = secret(self.committee, &self.dealt, 0);
                for (shares, dealt) in dealing.iter_mut().zip(&self.dealt) {
                    shares[0] = product + dealt[0] - input;
                }
                put(&mut sent[victim], &dealing);
            }
            "degree-points" if self.broken == Broken::NoBlinds => {
                subtract(sent, |p| blinds(&stages[p - 1]));
            }
            LAST => self.change_zeros(stages, sent),
            _ => {}
        }
    }

    /// `others` is what the next party dealt.
    fn change_inputs(&mut self, dealing: &mut Dealing, secrets: &[Gr], others: &Dealing) {
        let first = self.bits;
        let (t, base) = (self.committee.t(), (1..=self.committee.t() + 1).collect::<Vec<usize>>());
        let coefficients = |dealing: &Dealing, e: usize| -> Vec<Gr> {
            let values: Vec<Gr> = base.iter().map(|&q| dealing[q - 1][e]).collect();
            let rows = interpolation(&base);
            rows.iter().map(|row| dot(row, &values)).collect()
        };
        let overlap = coefficients(dealing, 0)[t] - coefficients(dealing, 1)[1];
        let rarely = self.rng.gen_range(0..10) == 0;
        for (q, (shares, others)) in dealing.iter_mut().zip(others).enumerate() {
            match self.broken {
                Broken::OftenOnePolynomialForTwoBits if rarely => {}
                Broken::OnePolynomialForTwoBits | Broken::OftenOnePolynomialForTwoBits => {
                    shares[1] = secrets[1] + shares[0] - secrets[0];
                }
                Broken::OverlappingCoefficients => shares[1] += overlap.mul_alpha(q + 1),
                Broken::OneBlindForTwoSums => shares[first + 1] = shares[first],
                Broken::OneBlindForTwoDealers => shares[first..].copy_from_slice(&others[first..]),
                Broken::BlindTellsABit => {
                    shares[first] += secrets[0] - Gr::scalar(secrets[first].0[0] & 1);
                }
                Broken::BlindsAddUp => shares[first + 2] = shares[first] + shares[first + 1],
                Broken::BlindHoldsAPolynomial => {
                    shares[first + 1] = shares[first] + shares[0] - secrets[0];
                }
                _ => {}
            }
        }
    }

    fn lower_degree(&mut self, sent: &mut Outgoing) {
        let mut dealing = received(sent);
        for (e, value) in secrets(self.committee, sent, self.bits).into_iter().enumerate() {
            let coefficients = self.uniform(self.committee.t() - 1);
            for (q, shares) in dealing.iter_mut().enumerate() {
                shares[e] = evaluate(value, &coefficients, q + 1);
            }
        }
        put(sent, &dealing);
    }

    fn change_zeros(&mut self, stages: &[Stage], sent: &mut [Outgoing]) {
        let committee = self.committee;
        let all = |p: usize| {
            let mut shares = vec![Gr::ZERO; REPETITIONS];
            for (subset, zeros) in zeros(&stages[p - 1]) {
                let factor = subset_factor(committee, subset, p);
                let values = zeros.iter().map(|zero| factor * evaluate(Gr::ZERO, zero, p));
                shares.iter_mut().zip(values).for_each(|(share, value)| *share += value);
            }
            shares
        };
        match self.broken {
            Broken::NoZeros => subtract(sent, all),
            Broken::LowZeros => {
                let lower: Vec<Vec<Gr>> = (0..REPETITIONS).map(|_| self.uniform(committee.t())).collect();
                subtract(sent, |p| {
                    let low = |(&zero, lower): (&Gr, &Vec<Gr>)| zero - evaluate(Gr::ZERO, lower, p);
                    all(p).iter().zip(&lower).map(low).collect()
                });
            }
            Broken::OneZeroForTwoSums => subtract(sent, |p| {
                let shares = all(p);
                vec![Gr::ZERO, shares[1] - shares[0]]
            }),
            Broken::ZeroIsABlind => {
                // Only the key of the honest parties hides anything: it makes the blind's coefficients.
                let honest = committee.parties().skip(committee.t());
                let hidden = Subset(honest.fold(0, |mask, p| mask | 1 << (p - 1)));
                let blind = secret(committee, &self.dealt, self.bits);
                subtract(sent, |p| {
                    let own = zeros(&stages[p - 1]).into_iter().find(|(subset, _)| *subset == hidden);
                    let Some((_, zeros)) = own else { return Vec::new() };
                    let change = evaluate(Gr::ZERO, &zeros[0], p) - self.dealt[p - 1][self.bits] + blind;
                    vec![subset_factor(committee, hidden, p) * change]
                });
            }
            _ => {}
        }
    }

    fn uniform(&mut self, count: usize) -> Vec<Gr> {
        (0..count).map(|_| Gr(self.rng.r#gen())).collect()
    }
}

fn received(sent: &Outgoing) -> Dealing {
    sent.private.iter().map(|message| elements(message.as_ref().expect("a private round"))).collect()
}

fn put(sent: &mut Outgoing, dealing: &Dealing) {
    for (message, shares) in sent.private.iter_mut().zip(dealing) {
        *message = Some(Zeroizing::new(encoded(shares)));
    }
}

/// The value of element `e`.
fn secret(committee: Committee, dealing: &Dealing, e: usize) -> Gr {
    let set: Vec<usize> = (1..=committee.t() + 1).collect();
    let shares: Vec<Gr> = set.iter().map(|&q| dealing[q - 1][e]).collect();
    dot(&lagrange(&set, 0), &shares)
}

fn blinds(stage: &Stage) -> Vec<Gr> {
    let Stage::DegreePoints(round) = stage else { panic!("the round of the degree check") };
    round.dealings.blinds.iter().flat_map(|list| list.to_vec()).collect()
}

/// Subtracts from the first points of every party.
fn subtract(sent: &mut [Outgoing], masks: impl Fn(usize) -> Vec<Gr>) {
    for (p, sent) in sent.iter_mut().enumerate() {
        let mut points = elements(&sent.broadcast);
        points.iter_mut().zip(masks(p + 1)).for_each(|(point, mask)| *point -= mask);
        sent.broadcast = encoded(&points);
    }
}

pub fn encoded(list: &[Gr]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_elements(&mut bytes, list);
    bytes
}
