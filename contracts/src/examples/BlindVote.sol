// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICoprocessor} from "../interfaces/ICoprocessor.sol";
import {IDecryptionGateway} from "../interfaces/IDecryptionGateway.sol";
import {FHE, ebool, euint16, euint8} from "../libraries/FHE.sol";
import {RequestStatus} from "../types/Decryption.sol";
import {EncryptedInput} from "../types/Encrypted.sol";

/// @title A weighted vote on three options of which only the tally becomes known
/// @notice Example. Every address votes once; weights are what the voters claim, and a tally wraps at 2^16, so a real
/// vote would take weights from a registrar. A choice beyond the options counts for none of them.
contract BlindVote {
    struct Ballot {
        euint8 choice;
        euint16 weight;
    }

    event BallotCast(address indexed voter, bytes32 choice, bytes32 weight);
    event VoteClosed(bytes32 indexed requestId, bytes32[] tallies);
    event TallyPublished(bytes32 indexed requestId, uint16[3] tally);

    error NotOrganiser(address caller);
    error NotGateway(address caller);
    error WrongRequest(bytes32 requestId, bytes32 expected);
    error WrongBallot(uint256 values);
    error AlreadyVoted(address voter);
    error VoteFull(uint256 maxVoters);
    error VoteOver();
    error NoBallots();
    error NoLateResult(bytes32 requestId);

    uint256 public constant OPTIONS = 3;
    uint32 private constant CALLBACK_GAS = 150_000;
    uint40 private constant RESULT_SECONDS = 1 days;

    IDecryptionGateway public immutable gateway;
    address public immutable organiser;
    uint256 public immutable maxVoters;
    /// @dev Zero that a ballot adds to the options it is not for.
    euint16 private immutable _zero;

    uint256 public voters;
    bytes32 public requestId;
    bool public published;
    mapping(address voter => Ballot) public ballotOf;
    euint16[OPTIONS] private _encryptedTally;
    uint16[OPTIONS] private _tally;

    constructor(ICoprocessor coprocessor, IDecryptionGateway gateway_, uint256 maxVoters_) {
        FHE.useCoprocessor(coprocessor);
        gateway = gateway_;
        organiser = msg.sender;
        maxVoters = maxVoters_;
        _zero = FHE.trivialEuint16(0);
        FHE.allowThis(_zero.unwrap());
    }

    /// @param input choice (Uint8) and weight (Uint16), encrypted by the caller for this contract
    function castVote(EncryptedInput calldata input) external {
        if (requestId != 0) revert VoteOver();
        if (voters == maxVoters) revert VoteFull(maxVoters);
        if (input.handles.length != 2) revert WrongBallot(input.handles.length);
        if (ballotOf[msg.sender].weight.unwrap() != 0) revert AlreadyVoted(msg.sender);
        FHE.verify(input, msg.sender);
        Ballot memory ballot = Ballot(FHE.asEuint8(input.handles[0]), FHE.asEuint16(input.handles[1]));
        ballotOf[msg.sender] = ballot;
        ++voters;
        _count(ballot);
        // The voter may read the own weight back; reading needs this contract's permission as well.
        FHE.allowThis(ballot.weight.unwrap());
        FHE.allow(ballot.weight.unwrap(), msg.sender);
        emit BallotCast(msg.sender, ballot.choice.unwrap(), ballot.weight.unwrap());
    }

    /// @notice Ends the vote and asks for the tallies. The value sent is the gateway's fee.
    function close() external payable {
        if (msg.sender != organiser) revert NotOrganiser(msg.sender);
        if (requestId != 0) revert VoteOver();
        if (voters == 0) revert NoBallots();
        bytes32[] memory handles = new bytes32[](OPTIONS);
        for (uint256 option; option < OPTIONS; ++option) {
            handles[option] = _encryptedTally[option].unwrap();
            FHE.allowForDecryption(handles[option]);
        }
        requestId = gateway.request{value: msg.value}(
            handles, this.onTally.selector, CALLBACK_GAS, uint40(block.timestamp) + RESULT_SECONDS
        );
        emit VoteClosed(requestId, handles);
    }

    /// @notice Callback of the gateway.
    function onTally(bytes32 requestId_, bytes calldata plaintexts) external {
        if (msg.sender != address(gateway)) revert NotGateway(msg.sender);
        if (requestId_ != requestId) revert WrongRequest(requestId_, requestId);
        _publish(plaintexts);
    }

    /// @notice Takes the tallies from the gateway where they came after the deadline. Anyone may call.
    function collect() external {
        if (gateway.requestOf(requestId).status != RequestStatus.FulfilledLate || published) {
            revert NoLateResult(requestId);
        }
        _publish(gateway.resultOf(requestId));
    }

    /// @notice Returns the fee of a late result to the organiser. Anyone may call.
    function reclaimFee() external {
        gateway.withdraw(organiser);
    }

    /// @notice Sum of weights per option; all zero until published.
    function tally() external view returns (uint16[3] memory) {
        return _tally;
    }

    /// @notice Handles of the sums per option.
    function encryptedTally() external view returns (bytes32[3] memory handles) {
        for (uint256 option; option < OPTIONS; ++option) handles[option] = _encryptedTally[option].unwrap();
    }

    function _count(Ballot memory ballot) private {
        for (uint8 option; option < OPTIONS; ++option) {
            ebool chosen = FHE.eq(ballot.choice, option);
            euint16 share = FHE.select(chosen, ballot.weight, _zero);
            euint16 sum = _encryptedTally[option];
            sum = sum.unwrap() == 0 ? share : FHE.add(sum, share);
            FHE.allowThis(sum.unwrap());
            _encryptedTally[option] = sum;
        }
    }

    function _publish(bytes memory plaintexts) private {
        uint256[OPTIONS] memory words = abi.decode(plaintexts, (uint256[3]));
        for (uint256 option; option < OPTIONS; ++option) _tally[option] = uint16(words[option]);
        published = true;
        emit TallyPublished(requestId, _tally);
    }
}
