//! Native core of Twinlock.
