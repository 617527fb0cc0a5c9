//! The simulator of the bit phase: what t corrupt parties see, made without the others' bits, shares or masks.
//!
//! Set-up rounds hold no secret that the bits depend on, so the simulator plays them with keys of its own. From then on
//! it knows only what it sent to the corrupt parties and got from them (docs/keygen.md §7, 1 to 3):
//! - Shares of fresh sharings of degree t are t uniform elements.
//! - Points about an honest dealer: a uniform polynomial of degree t through the corrupt parties' points.
//! - Points about a corrupt dealer: what it dealt says them.
//! - Product points: a uniform polynomial of degree 2t through the corrupt points, whose value follows from what the
//!   corrupt parties dealt.
use super::super::combination::REPETITIONS;
use super::super::commitment::reveal;
use super::super::context::{Context, Purpose, Session};
use super::super::message::{Outgoing, elements, put_elements};
use super::super::rounds::bits::Dealings;
use super::super::stage::Stage;
use super::dealt::{Dealt, opened_values};
use super::run::{LAST, Run, context, incoming, rounds, secrets, start, zeros};
use crate::ring::shamir::{dot, lagrange};
use crate::ring::{Committee, Gr};
use rand::{Rng, SeedableRng, rngs::StdRng};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

struct Simulator {
    committee: Committee,
    bits: usize,
    corrupt: Vec<usize>,
    honest: Vec<usize>,
    /// Honest code for the set-up rounds only.
    setup: Vec<Stage>,
    /// Nodes of the tree that are still to be combined.
    live: usize,
    dealt: Vec<Dealt>,
    rng: StdRng,
}

/// A run in which `corrupt` follow the protocol and everybody else is the simulator. The corrupt parties' own code must
/// accept every message.
pub fn simulated(committee: Committee, bits: usize, corrupt: &[usize], label: &str) -> Run {
    let mut simulator = Simulator::new(committee, bits, corrupt, label);
    let mut stages: Vec<Stage> = corrupt.iter().map(|&c| start(committee, bits, c, label)).collect();
    let context = context(committee, bits, corrupt[0]);
    let mut run = Run { context, rounds: Vec::new(), inputs: Vec::new(), zeros: BTreeMap::new() };
    for round in rounds(committee) {
        if round == LAST {
            run.zeros = stages.iter().flat_map(zeros).collect();
        }
        let mut sent = vec![Outgoing::broadcast(committee.n(), Vec::new()); committee.n()];
        for (&c, stage) in corrupt.iter().zip(&stages) {
            sent[c - 1] = stage.produce().expect("rounds are in order");
        }
        simulator.answer(&round, &mut sent, &run, &stages);
        let consume = |(&c, stage): (&usize, Stage)| {
            stage.consume(&incoming(&sent, c)).unwrap_or_else(|failure| panic!("{round}: {failure}"))
        };
        stages = corrupt.iter().zip(stages).map(consume).collect();
        run.rounds.push((round, sent));
    }
    run.inputs = inputs(&run, corrupt, label);
    run
}

/// The corrupt parties' bits, and for the others bits that the simulator has never seen.
fn inputs(run: &Run, corrupt: &[usize], label: &str) -> Vec<Vec<Gr>> {
    let Context { committee, bits, .. } = run.context;
    let mut rng = StdRng::from_seed(Sha256::digest(format!("{label} bits")).into());
    let mut ideal = || (0..bits).map(|_| Gr::scalar(rng.gen_range(0..2))).collect::<Vec<Gr>>();
    let own = |p: usize| secrets(committee, &run.round("inputs")[p - 1], bits);
    committee.parties().map(|p| if corrupt.contains(&p) { own(p) } else { ideal() }).collect()
}

impl Simulator {
    fn new(committee: Committee, bits: usize, corrupt: &[usize], label: &str) -> Simulator {
        let honest: Vec<usize> = committee.parties().filter(|p| !corrupt.contains(p)).collect();
        Simulator {
            committee,
            bits,
            corrupt: corrupt.to_vec(),
            setup: honest.iter().map(|&h| start(committee, bits, h, &format!("{label} simulator"))).collect(),
            live: committee.n(),
            dealt: corrupt.iter().map(|&c| Dealt::nothing(c, &honest)).collect(),
            rng: StdRng::from_seed(Sha256::digest(format!("{label} simulator")).into()),
            honest,
        }
    }

    /// Adds the honest parties' messages of a round to those of the corrupt ones.
    fn answer(&mut self, round: &str, sent: &mut [Outgoing], before: &Run, corrupt: &[Stage]) {
        for dealt in &mut self.dealt {
            dealt.take(round, self.bits, &sent[dealt.dealer - 1]);
        }
        match round {
            "inputs" => {
                let everybody = self.honest.clone();
                self.deal(&everybody, self.bits + REPETITIONS, sent);
            }
            "coin" => {
                for (&h, stage) in self.honest.iter().zip(&self.setup) {
                    sent[h - 1].broadcast = reveal(session(stage), Purpose::BitCoin, &[]).to_vec();
                }
            }
            "degree-points" => self.degree_points(sent, &before.coin()),
            "product-points" => self.product_points(sent, &before.coin(), corrupt),
            level if level.starts_with("level-") => {
                let pairs = self.live / 2;
                self.live -= pairs;
                let resharers: Vec<usize> =
                    self.honest.iter().copied().filter(|&h| h <= self.committee.quorum()).collect();
                self.deal(&resharers, pairs * self.bits, sent);
            }
            _ => self.set_up(sent),
        }
    }

    fn set_up(&mut self, sent: &mut [Outgoing]) {
        for (&h, stage) in self.honest.iter().zip(&self.setup) {
            sent[h - 1] = stage.produce().expect("rounds are in order");
        }
        let stages = std::mem::take(&mut self.setup);
        let consume = |(&h, stage): (&usize, Stage)| {
            stage.consume(&incoming(sent, h)).expect("corrupt parties play fair")
        };
        self.setup = self.honest.iter().zip(stages).map(consume).collect();
    }

    fn uniform(&mut self) -> Gr {
        Gr(self.rng.r#gen())
    }

    /// `count` uniform elements from each dealer to each corrupt party.
    fn deal(&mut self, dealers: &[usize], count: usize, sent: &mut [Outgoing]) {
        for &dealer in dealers {
            for c in self.corrupt.clone() {
                let shares: Vec<Gr> = (0..count).map(|_| self.uniform()).collect();
                let mut bytes = Vec::new();
                put_elements(&mut bytes, &shares);
                sent[dealer - 1].private[c - 1] = Some(Zeroizing::new(bytes));
            }
        }
    }

    fn degree_points(&mut self, sent: &mut [Outgoing], coin: &[u8; 32]) {
        let own = self.points_of_corrupt(sent);
        let mut base = vec![0];
        base.extend(&self.corrupt);
        for dealer in self.committee.parties() {
            let points = match self.dealt.iter().find(|dealt| dealt.dealer == dealer) {
                Some(dealt) => dealt.degree_points(&context(self.committee, self.bits, dealer), coin),
                None => {
                    let values: Vec<Vec<Gr>> = (0..REPETITIONS)
                        .map(|r| {
                            let mut values = vec![self.uniform()];
                            values.extend(own.iter().map(|list| list[(dealer - 1) * REPETITIONS + r]));
                            values
                        })
                        .collect();
                    self.extend(&base, &values)
                }
            };
            put(sent, points);
        }
    }

    fn product_points(&mut self, sent: &mut [Outgoing], coin: &[u8; 32], corrupt: &[Stage]) {
        let own = self.points_of_corrupt(sent);
        let dealings: Vec<(&Dealt, &Dealings)> =
            self.dealt.iter().zip(corrupt.iter().map(dealings)).collect();
        let opened = opened_values(&context(self.committee, self.bits, self.corrupt[0]), coin, &dealings);
        let mut base = vec![0];
        base.extend(&self.corrupt);
        base.extend(&self.honest[..self.committee.t()]);
        let values: Vec<Vec<Gr>> = (0..REPETITIONS)
            .map(|r| {
                let mut values = vec![opened[r]];
                values.extend(own.iter().map(|list| list[r]));
                values.extend((0..self.committee.t()).map(|_| self.uniform()));
                values
            })
            .collect();
        put(sent, self.extend(&base, &values));
    }

    fn points_of_corrupt(&self, sent: &[Outgoing]) -> Vec<Vec<Gr>> {
        self.corrupt.iter().map(|&c| elements(&sent[c - 1].broadcast)).collect()
    }

    /// The honest parties' points on the polynomials with `values` at `base`.
    fn extend(&self, base: &[usize], values: &[Vec<Gr>]) -> Vec<(usize, Vec<Gr>)> {
        let point = |h: usize| {
            let weights = lagrange(base, h);
            values.iter().map(|values| dot(&weights, values)).collect()
        };
        self.honest.iter().map(|&h| (h, point(h))).collect()
    }
}

fn put(sent: &mut [Outgoing], points: Vec<(usize, Vec<Gr>)>) {
    for (party, list) in points {
        put_elements(&mut sent[party - 1].broadcast, &list);
    }
}

fn session(stage: &Stage) -> &Session {
    match stage {
        Stage::Inputs(round) => &round.setup.session,
        _ => panic!("set-up is over and nothing was dealt"),
    }
}

fn dealings(stage: &Stage) -> &Dealings {
    match stage {
        Stage::ProductPoints(round) => &round.dealings,
        _ => panic!("the last round"),
    }
}
