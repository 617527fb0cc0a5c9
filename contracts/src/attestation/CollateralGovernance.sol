// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICollateralParser} from "../interfaces/ICollateralParser.sol";
import {ICollateralStore} from "../interfaces/ICollateralStore.sol";
import {ACTIVATION_WINDOW, timelockDelay} from "../libraries/Timelock.sol";

/// @title CollateralGovernance
/// @notice The parser, the one replaceable part of the collateral store: proposed by governance, active after the
/// timelock. The guardian can only take away.
abstract contract CollateralGovernance is ICollateralStore {
    address public immutable governance;
    address public immutable guardian;

    /// @inheritdoc ICollateralStore
    ICollateralParser public parser;
    ICollateralParser public proposedParser;
    uint256 public proposedParserActiveAt;

    modifier onlyGovernance() {
        if (msg.sender != governance) revert NotGovernance(msg.sender);
        _;
    }

    modifier onlyGovernanceOrGuardian() {
        if (msg.sender != governance && msg.sender != guardian) revert NotGovernanceOrGuardian(msg.sender);
        _;
    }

    constructor(address governance_, address guardian_, ICollateralParser parser_) {
        governance = governance_;
        guardian = guardian_;
        parser = parser_;
    }

    /// @inheritdoc ICollateralStore
    function proposeParser(ICollateralParser proposed) external onlyGovernance {
        proposedParser = proposed;
        proposedParserActiveAt = block.timestamp + timelockDelay();
        emit ParserProposed(proposed, proposedParserActiveAt);
    }

    /// @inheritdoc ICollateralStore
    function withdrawParser() external onlyGovernanceOrGuardian {
        emit ParserWithdrawn(proposedParser);
        proposedParser = ICollateralParser(address(0));
    }

    /// @inheritdoc ICollateralStore
    function activateParser() external onlyGovernance {
        if (address(proposedParser) == address(0)) revert NoParserProposed();
        if (block.timestamp < proposedParserActiveAt) revert TimelockRunning(proposedParserActiveAt, block.timestamp);
        uint256 lapsesAt = proposedParserActiveAt + ACTIVATION_WINDOW;
        if (block.timestamp > lapsesAt) revert ProposalLapsed(lapsesAt, block.timestamp);
        parser = proposedParser;
        proposedParser = ICollateralParser(address(0));
        emit ParserReplaced(parser);
    }
}
