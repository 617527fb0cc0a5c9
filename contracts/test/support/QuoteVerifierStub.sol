// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TcbStatus} from "../../src/attestation/TcbStatus.sol";
import {ICollateralStore} from "../../src/interfaces/ICollateralStore.sol";
import {Appraisal, Evidence, IQuoteVerifier, PlatformFacts} from "../../src/interfaces/IQuoteVerifier.sol";

/// @notice Quote verifier and collateral store in one, without cryptography: a quote is the ABI encoding of its
/// appraisal, and the test says what the collateral of now makes of a machine. One TCB set and one QE identity.
contract QuoteVerifierStub {
    uint16 public tcbNumber = 20;
    uint16 public qeNumber = 20;
    /// @notice Last second of both sets, and of their grace; `grace` 0 for none.
    uint32 public setsExpireAt;
    uint32 public grace;
    /// @notice Last second of the CRLs.
    uint32 public crlExpiresAt;
    mapping(uint160 serial => bool) public revoked;
    mapping(uint256 components => TcbStatus) public statusOf;
    /// @notice Spends the gas that it is given, as a look-up in a long list would.
    bool public greedy;

    constructor() {
        setsExpireAt = uint32(block.timestamp + 30 days);
        crlExpiresAt = uint32(block.timestamp + 60 days);
    }

    function setNumbers(uint16 tcb, uint16 qe) external {
        (tcbNumber, qeNumber) = (tcb, qe);
    }

    function setDates(uint32 sets, uint32 crl, uint32 grace_) external {
        (setsExpireAt, crlExpiresAt, grace) = (sets, crl, grace_);
    }

    function setRevoked(uint160 serial) external {
        revoked[serial] = true;
    }

    function setStatus(uint256 components, TcbStatus status) external {
        statusOf[components] = status;
    }

    function setGreedy(bool greedy_) external {
        greedy = greedy_;
    }

    function collateral() external view returns (address) {
        return address(this);
    }

    function verify(Evidence calldata evidence, uint16 tcbFloor, uint16 qeFloor)
        external
        view
        returns (Appraisal memory appraisal)
    {
        appraisal = abi.decode(evidence.quote, (Appraisal));
        appraisal.inGrace = block.timestamp > setsExpireAt;
        uint32 setsUntil = appraisal.inGrace ? grace : setsExpireAt;
        (appraisal.status, appraisal.tcbEvaluation, appraisal.qeEvaluation, appraisal.expiresAt) =
            _judge(appraisal.platform, tcbFloor, qeFloor, setsUntil);
        if (appraisal.pckExpiresAt < appraisal.expiresAt) appraisal.expiresAt = appraisal.pckExpiresAt;
    }

    function judge(PlatformFacts calldata platform, uint16 tcbFloor, uint16 qeFloor, bool mayUseGrace)
        external
        view
        returns (TcbStatus, uint16, uint16, uint32)
    {
        if (greedy) while (true) {}
        bool usesGrace = mayUseGrace && block.timestamp > setsExpireAt;
        return _judge(platform, tcbFloor, qeFloor, usesGrace ? grace : setsExpireAt);
    }

    function isRevoked(uint256, uint256 serial) external view returns (bool) {
        return revoked[uint160(serial)];
    }

    function _judge(PlatformFacts memory platform, uint16 tcbFloor, uint16 qeFloor, uint32 setsUntil)
        private
        view
        returns (TcbStatus, uint16, uint16, uint32)
    {
        if (revoked[platform.serial]) revert ICollateralStore.CertificateRevoked(platform.serial);
        if (block.timestamp > crlExpiresAt) revert ICollateralStore.Expired(crlExpiresAt, block.timestamp);
        if (block.timestamp > setsUntil || tcbNumber < tcbFloor) {
            revert IQuoteVerifier.NoCurrentTcbInfo(platform.fmspc, tcbFloor);
        }
        if (qeNumber < qeFloor) revert IQuoteVerifier.NoCurrentQeIdentity(qeFloor);
        uint32 until = setsUntil < crlExpiresAt ? setsUntil : crlExpiresAt;
        return (statusOf[platform.components], tcbNumber, qeNumber, until);
    }
}
