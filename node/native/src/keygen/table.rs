//! A whole bit phase in one process for tests: honest code for every party, and an adversary that may change what the
//! corrupt parties 1..=t send after it has seen what the honest ones broadcast in the same round (rushing).
use super::context::{Context, Root, Session};
use super::message::{Incoming, Outgoing};
use super::party::round_names;
use super::rounds::hello::HelloRound;
use super::rounds::rows::CheckedKey;
use super::stage::Stage;
use crate::errors::Failure;
use crate::ring::shamir::{dot, lagrange};
use crate::ring::{Committee, Gr};

/// What the adversary sees and may touch in one round.
pub struct Turn<'a> {
    pub committee: Committee,
    pub round: &'a str,
    /// States of the corrupt parties 1..=t.
    pub corrupt: &'a [Stage],
    /// Broadcasts of the honest parties t+1..=n in this round.
    pub honest_broadcasts: &'a [Vec<u8>],
    /// What the corrupt parties' honest code would send.
    pub messages: &'a mut [Outgoing],
}

/// How a run ended for the honest parties.
pub enum Outcome {
    /// All of them passed all checks.
    Passed(Vec<CheckedKey>),
    /// The failures of those that failed in the first round in which one did, with the round's name.
    Failed(String, Vec<Failure>),
}

/// Runs the bit phase with `bits` shared bits. `label` seeds all parties.
pub fn run(
    committee: Committee,
    bits: usize,
    label: &str,
    adversary: &mut dyn FnMut(&mut Turn<'_>),
) -> Outcome {
    let (n, t) = (committee.n(), committee.t());
    let mut stages: Vec<Stage> = committee
        .parties()
        .map(|index| {
            let context = Context { committee, index, ceremony_id: [9; 32], attempt: 0, bits };
            let root = Root::from_label(&format!("{label} {index}"));
            Stage::Hello(HelloRound::new(Session { context, root }, Vec::new()))
        })
        .collect();
    for round in round_names(n) {
        let mut sent: Vec<Outgoing> =
            stages.iter().map(|stage| stage.produce().expect("rounds are in order")).collect();
        let (corrupt, honest) = sent.split_at_mut(t);
        let honest_broadcasts: Vec<Vec<u8>> = honest.iter().map(|m| m.broadcast.clone()).collect();
        adversary(&mut Turn {
            committee,
            round: &round,
            corrupt: &stages[..t],
            honest_broadcasts: &honest_broadcasts,
            messages: corrupt,
        });
        let mut failures = Vec::new();
        let mut next = Vec::new();
        for (index, stage) in stages.into_iter().enumerate() {
            let incoming = Incoming {
                broadcasts: sent.iter().map(|m| m.broadcast.clone()).collect(),
                private: sent.iter().map(|m| m.private[index].clone()).collect(),
            };
            match stage.consume(&incoming) {
                Ok(stage) => next.push(stage),
                Err(failure) if index >= t => failures.push(failure),
                // A corrupt party goes on whatever its honest code thinks; here it has nothing to go on with.
                Err(_) => next.push(Stage::Gone),
            }
        }
        if !failures.is_empty() {
            return Outcome::Failed(round, failures);
        }
        stages = next;
    }
    let finished = stages.into_iter().skip(t).map(|stage| match stage {
        Stage::Done(finished) => finished,
        _ => panic!("all rounds are over"),
    });
    Outcome::Passed(finished.collect())
}

/// Nobody cheats.
pub fn honest(_: &mut Turn<'_>) {}

/// The shared values of an honest run, by shares of the honest parties t+1..=n; each must lie on a polynomial of degree t.
pub fn reconstruct(committee: Committee, finished: &[CheckedKey]) -> Vec<Gr> {
    let (n, t) = (committee.n(), committee.t());
    let base: Vec<usize> = (t + 1..=2 * t + 1).collect();
    let at_zero = lagrange(&base, 0);
    let shares: Vec<&[Gr]> = finished.iter().map(|f| f.contributor.shares()).collect();
    (0..shares[0].len())
        .map(|e| {
            let column: Vec<Gr> = shares.iter().map(|s| s[e]).collect();
            for party in 2 * t + 2..=n {
                assert_eq!(dot(&lagrange(&base, party), &column[..=t]), column[party - t - 1], "degree");
            }
            dot(&at_zero, &column[..=t])
        })
        .collect()
}

/// The points of the corrupt parties that put them on the polynomial of degree `degree` through the honest points.
pub fn extrapolate(committee: Committee, degree: usize, honest: &[Gr]) -> Vec<Gr> {
    let t = committee.t();
    let base: Vec<usize> = (t + 1..=t + 1 + degree).collect();
    (1..=t).map(|party| dot(&lagrange(&base, party), &honest[..=degree])).collect()
}
