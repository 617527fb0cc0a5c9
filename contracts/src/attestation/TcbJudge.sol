// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CollateralSet, ICollateralStore} from "../interfaces/ICollateralStore.sol";
import {IQuoteVerifier, PlatformFacts} from "../interfaces/IQuoteVerifier.sol";
import {DataContract} from "./DataContract.sol";
import {QeIdentity, QeReportFacts} from "./QeIdentity.sol";
import {TcbSet} from "./TcbSet.sol";
import {mergeTcbStatus, TcbStatus} from "./TcbStatus.sol";

/// @notice What one kind of collateral says about a machine.
/// @param current whether any set at or above the floor could be used
/// @param known whether any of those knows the machine's kind (its platform level, its enclave)
/// @param found whether any of those has a status for it: the fields below are then set
/// @param inGrace whether the set of that status is past its date
struct Verdict {
    bool current;
    bool known;
    bool found;
    bool inGrace;
    TcbStatus status;
    uint16 evaluation;
    uint32 expiresAt;
}

/// @title TcbJudge
/// @notice Judges platform, TDX module and quoting enclave. Takes the newest set under which they are up to date, else
/// the one that judges them best. Sets past their date come last, and only where grace applies: they are used where no
/// current one finds the machine up to date.
abstract contract TcbJudge is IQuoteVerifier {
    /// @inheritdoc IQuoteVerifier
    ICollateralStore public immutable collateral;

    constructor(ICollateralStore collateral_) {
        collateral = collateral_;
    }

    /// @param set of the highest evaluation number
    /// @param mayUseGrace whether the quote is fresh, or was when it used the grace that is asked for
    function _judgePlatform(CollateralSet memory set, uint16 floor, PlatformFacts memory facts, bool mayUseGrace)
        internal
        view
        returns (Verdict memory verdict)
    {
        _judgePlatformUnder(set, floor, facts, false, verdict);
        if (!_isUpToDate(verdict) && mayUseGrace) {
            _judgePlatformUnder(collateral.tcbInfo(facts.fmspc, 0), floor, facts, true, verdict);
        }
        if (!verdict.current) revert NoCurrentTcbInfo(facts.fmspc, floor);
        if (!verdict.known) revert PlatformBelowEveryLevel(facts.components, facts.pceSvn);
        if (!verdict.found) revert UnknownTdxModule(_module(facts), _moduleSvn(facts));
    }

    /// @param report of the quoting enclave, or its SVN alone
    /// @param isWhole whether it is the report
    function _judgeQuotingEnclave(
        CollateralSet memory set,
        uint16 floor,
        QeReportFacts memory report,
        bool isWhole,
        bool mayUseGrace
    ) internal view returns (Verdict memory verdict) {
        _judgeEnclaveUnder(set, floor, report, isWhole, false, verdict);
        if (!_isUpToDate(verdict) && mayUseGrace) {
            _judgeEnclaveUnder(collateral.qeIdentity(0), floor, report, isWhole, true, verdict);
        }
        if (!verdict.current) revert NoCurrentQeIdentity(floor);
        if (!verdict.known) revert NotTheQuotingEnclave();
        if (!verdict.found) revert QuotingEnclaveBelowEveryLevel(report.isvSvn);
    }

    function _judgePlatformUnder(
        CollateralSet memory set,
        uint16 floor,
        PlatformFacts memory facts,
        bool inGrace,
        Verdict memory verdict
    ) private view {
        uint256 module = _module(facts);
        // Components 0 and 1 are those of the module, which has levels of its own unless its version is 0.
        uint256 components = module == 0 ? facts.components : facts.components | (0xffff << 112);
        for (uint256 rank = 0; _isEligible(set, floor, verdict); rank++) {
            uint256 until = set.expiresAt;
            bool lapsed = block.timestamp > until;
            if (lapsed && inGrace) until = collateral.tcbInfoGrace(facts.fmspc, rank);
            if (lapsed == inGrace && block.timestamp <= until) {
                verdict.current = true;
                bytes memory levels = DataContract.read(set.data);
                (bool found, TcbStatus status) = TcbSet.platformStatus(levels, components, facts.pceSvn);
                verdict.known = verdict.known || found;
                if (found && module != 0) {
                    TcbStatus moduleStatus;
                    (found, moduleStatus) = TcbSet.moduleStatus(levels, module, _moduleSvn(facts));
                    status = mergeTcbStatus(status, moduleStatus);
                }
                if (found) _keepBetter(verdict, set, until, status, inGrace);
            }
            if (!_isUpToDate(verdict)) set = collateral.tcbInfo(facts.fmspc, rank + 1);
        }
    }

    function _judgeEnclaveUnder(
        CollateralSet memory set,
        uint16 floor,
        QeReportFacts memory report,
        bool isWhole,
        bool inGrace,
        Verdict memory verdict
    ) private view {
        for (uint256 rank = 0; _isEligible(set, floor, verdict); rank++) {
            uint256 until = set.expiresAt;
            bool lapsed = block.timestamp > until;
            if (lapsed && inGrace) until = collateral.qeIdentityGrace(rank);
            if (lapsed == inGrace && block.timestamp <= until) {
                verdict.current = true;
                bytes memory identity = DataContract.read(set.data);
                if (!isWhole || QeIdentity.matches(identity, report)) {
                    verdict.known = true;
                    (bool found, TcbStatus status) = QeIdentity.status(identity, report.isvSvn);
                    if (found) _keepBetter(verdict, set, until, status, inGrace);
                }
            }
            if (!_isUpToDate(verdict)) set = collateral.qeIdentity(rank + 1);
        }
    }

    function _isEligible(CollateralSet memory set, uint16 floor, Verdict memory verdict) private pure returns (bool) {
        return !_isUpToDate(verdict) && set.data != address(0) && set.evaluation >= floor;
    }

    function _isUpToDate(Verdict memory verdict) private pure returns (bool) {
        return verdict.found && verdict.status == TcbStatus.UpToDate;
    }

    function _keepBetter(
        Verdict memory verdict,
        CollateralSet memory set,
        uint256 until,
        TcbStatus status,
        bool inGrace
    ) private pure {
        if (verdict.found && verdict.status <= status) return;
        verdict.found = true;
        verdict.inGrace = inGrace;
        verdict.status = status;
        verdict.evaluation = set.evaluation;
        verdict.expiresAt = uint32(until);
    }

    /// @dev Major version of the TDX module: teeTcbSvn[1].
    function _module(PlatformFacts memory facts) private pure returns (uint256) {
        return (facts.components >> 112) & 0xff;
    }

    /// @dev teeTcbSvn[0].
    function _moduleSvn(PlatformFacts memory facts) private pure returns (uint256) {
        return (facts.components >> 120) & 0xff;
    }
}
