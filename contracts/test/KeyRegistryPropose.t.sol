// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IKeyRegistry} from "../src/interfaces/IKeyRegistry.sol";
import {CommitteeSize} from "../src/libraries/CommitteeSize.sol";
import {Committee, Host, Key, KeyStatus, Proposal} from "../src/types/Key.sol";
import {Role} from "../src/types/Node.sol";
import {System} from "./support/System.sol";

/// @notice Which committees, executors and hosts a key may have.
contract KeyRegistryProposeTest is System {
    function test_proposalIsRecorded() public {
        Proposal memory proposal = _proposal();
        bytes32 keyId = keys.keyIdOf(0, proposal.host);
        vm.expectEmit(address(keys));
        emit IKeyRegistry.KeyProposed(keyId, 0, proposal);
        vm.assertEq(_propose(), keyId);
        Key memory key = keys.keyOf(keyId);
        vm.assertTrue(key.status == KeyStatus.Proposed);
        vm.assertEq(key.epoch, 0);
        vm.assertEq(key.host.gateway, address(gateway));
        vm.assertEq(key.parametersHash, proposal.parametersHash);
        vm.assertEq(key.deadline, proposal.deadline);
        Committee memory committee = keys.committeeOf(keyId, EPOCH);
        vm.assertEq(keccak256(abi.encode(committee)), keccak256(abi.encode(Committee(4, 1, parties))));
        (address[] memory signers, uint8 k) = keys.executorsOf(keyId);
        vm.assertEq(keccak256(abi.encode(signers)), keccak256(abi.encode(executors)));
        vm.assertEq(k, 2);
        vm.assertEq(keys.keyOfHost(address(coprocessor)), 0);
        vm.assertEq(keys.crsDigest(keyId), 0);
    }

    function test_keyIdBindsEverything() public view {
        Host memory host = _host();
        bytes32 keyId = keccak256(
            abi.encode(
                keccak256("twinlock/key/v1"),
                keccak256("genesis"),
                block.chainid,
                address(keys),
                uint64(7),
                host.chainId,
                host.coprocessor,
                host.gateway
            )
        );
        vm.assertEq(keys.keyIdOf(7, host), keyId);
        vm.assertNotEq(keys.keyIdOf(8, host), keyId);
        host.gateway = address(1);
        vm.assertNotEq(keys.keyIdOf(7, host), keyId);
    }

    function test_eachProposalIsAnotherKey() public {
        bytes32 first = _propose();
        bytes32 second = _propose();
        vm.assertNotEq(first, second);
        vm.assertEq(keys.nextCeremonyNonce(), 2);
        vm.assertEq(keys.keyOf(second).ceremonyNonce, 1);
    }

    function test_onlyGovernanceProposes() public {
        Proposal memory proposal = _proposal();
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.NotGovernance.selector, address(this)));
        keys.propose(proposal);
    }

    function test_fuzz_sizesOfCommittees(uint8 n, uint8 t) public pure {
        bool valid = t >= 1 && n <= 15 && uint256(n) >= 3 * uint256(t) + 1;
        vm.assertTrue(CommitteeSize.isValid(n, t) == valid);
        if (!valid) return;
        uint256 quorum = CommitteeSize.quorum(t);
        uint256 agreement = CommitteeSize.agreement(n, t);
        vm.assertEq(quorum, 2 * uint256(t) + 1);
        // Two agreements share more than t members, and the honest ones alone can reach one.
        vm.assertTrue(2 * agreement >= uint256(n) + t + 1 && 2 * agreement <= uint256(n) + t + 2);
        vm.assertLe(agreement, n - t);
    }

    function test_wrongSizesAreRefused() public {
        Proposal memory proposal = _proposal();
        proposal.n = 5;
        _refused(proposal, abi.encodeWithSelector(IKeyRegistry.PartyCountMismatch.selector, 4, uint8(5)));
        proposal.n = 4;
        proposal.t = 0;
        _refused(proposal, abi.encodeWithSelector(IKeyRegistry.CommitteeSizeOutOfRange.selector, uint8(4), uint8(0)));
        proposal.t = 2;
        _refused(proposal, abi.encodeWithSelector(IKeyRegistry.CommitteeSizeOutOfRange.selector, uint8(4), uint8(2)));
        proposal.t = 1;
        proposal.parties = new address[](16);
        proposal.n = 16;
        _refused(proposal, abi.encodeWithSelector(IKeyRegistry.CommitteeSizeOutOfRange.selector, uint8(16), uint8(1)));
    }

    /// @dev Every n up to 16 with every t up to n: a size that is allowed gets as far as its members.
    function test_exactlyTheSizesOfTheProtocolAreAccepted() public {
        Proposal memory proposal = _proposal();
        bytes memory members = abi.encodeWithSelector(IKeyRegistry.WrongRole.selector, address(0), Role.None);
        for (uint8 n; n <= 16; ++n) {
            proposal.n = n;
            proposal.parties = new address[](n);
            for (uint8 t; t <= n; ++t) {
                proposal.t = t;
                bool allowed = t >= 1 && n >= 3 * t + 1 && n <= 15;
                _refused(
                    proposal,
                    allowed ? members : abi.encodeWithSelector(IKeyRegistry.CommitteeSizeOutOfRange.selector, n, t)
                );
            }
        }
    }

    function test_executorQuorumIsAMajorityOfAtLeastTwo() public {
        Proposal memory proposal = _proposal();
        // executors, k
        uint8[2][6] memory bad = [[2, 1], [2, 3], [4, 2], [16, 9], [1, 1], [0, 2]];
        for (uint256 i; i < bad.length; ++i) {
            proposal.executors = new address[](bad[i][0]);
            proposal.k = bad[i][1];
            _refused(
                proposal,
                abi.encodeWithSelector(
                    IKeyRegistry.ExecutorQuorumOutOfRange.selector, bad[i][1], uint256(bad[i][0])
                )
            );
        }
    }

    function test_membersHaveTheirRole() public {
        Proposal memory proposal = _proposal();
        proposal.parties[3] = executors[0];
        _refused(proposal, abi.encodeWithSelector(IKeyRegistry.WrongRole.selector, executors[0], Role.Executor));
        proposal.parties[3] = address(0xdead);
        _refused(proposal, abi.encodeWithSelector(IKeyRegistry.WrongRole.selector, address(0xdead), Role.None));
        proposal = _proposal();
        proposal.executors[1] = parties[0];
        _refused(proposal, abi.encodeWithSelector(IKeyRegistry.WrongRole.selector, parties[0], Role.Keyholder));
    }

    function test_membersAreLive() public {
        Proposal memory proposal = _proposal();
        nodes.setExpiry(parties[2], uint32(block.timestamp));
        _refused(
            proposal,
            abi.encodeWithSelector(IKeyRegistry.MemberNotLive.selector, parties[2], uint32(block.timestamp))
        );
        nodes.setExpiry(parties[2], uint32(block.timestamp) + 1);
        nodes.setExpiry(executors[1], 0);
        _refused(proposal, abi.encodeWithSelector(IKeyRegistry.MemberNotLive.selector, executors[1], uint32(0)));
    }

    function test_operatorsAreDistinct() public {
        Proposal memory proposal = _proposal();
        _sameOperator(parties[3], parties[1], Role.Keyholder);
        _refused(
            proposal,
            abi.encodeWithSelector(IKeyRegistry.OperatorRepeated.selector, nodes.nodeOf(parties[1]).operator)
        );
        _sameOperator(parties[3], address(this), Role.Keyholder);
        _sameOperator(executors[1], executors[0], Role.Executor);
        _refused(
            proposal,
            abi.encodeWithSelector(IKeyRegistry.OperatorRepeated.selector, nodes.nodeOf(executors[0]).operator)
        );
    }

    function test_signerCannotTakeTwoPlaces() public {
        Proposal memory proposal = _proposal();
        proposal.parties[1] = parties[0];
        _refused(
            proposal,
            abi.encodeWithSelector(IKeyRegistry.OperatorRepeated.selector, nodes.nodeOf(parties[0]).operator)
        );
    }

    function test_platformsAreDistinct() public {
        Proposal memory proposal = _proposal();
        bytes16 ppid = nodes.nodeOf(parties[0]).ppid;
        _setPlatform(parties[2], ppid, Role.Keyholder);
        _refused(proposal, abi.encodeWithSelector(IKeyRegistry.PlatformRepeated.selector, ppid));
        _setPlatform(parties[2], "own", Role.Keyholder);
        bytes16 other = nodes.nodeOf(executors[0]).ppid;
        _setPlatform(executors[1], other, Role.Executor);
        _refused(proposal, abi.encodeWithSelector(IKeyRegistry.PlatformRepeated.selector, other));
    }

    /// @dev ⚔ one machine must not sit twice under two PPIDs.
    function test_platformInstancesAreDistinct() public {
        Proposal memory proposal = _proposal();
        nodes.setInstance(parties[0], "instance");
        nodes.setInstance(parties[2], "instance");
        _refused(proposal, abi.encodeWithSelector(IKeyRegistry.PlatformRepeated.selector, bytes16("instance")));
        nodes.setInstance(parties[2], "another");
        nodes.setInstance(executors[0], "third");
        nodes.setInstance(executors[1], "third");
        _refused(proposal, abi.encodeWithSelector(IKeyRegistry.PlatformRepeated.selector, bytes16("third")));
        // Those of the Processor CA have none, which is nothing in common.
        nodes.setInstance(parties[0], 0);
        nodes.setInstance(parties[2], 0);
        nodes.setInstance(executors[0], 0);
        nodes.setInstance(executors[1], 0);
        vm.prank(governance);
        keys.propose(proposal);
    }

    function test_seatedSignersAreRefused() public {
        Proposal memory proposal = _proposal();
        nodes.assignSeat(parties[1], keccak256("another key"), 1, 1);
        _refused(proposal, abi.encodeWithSelector(IKeyRegistry.MemberSeated.selector, parties[1]));
    }

    function test_hostIsOnThisChainAndComplete() public {
        Proposal memory proposal = _proposal();
        proposal.host.chainId = 1;
        _refused(proposal, abi.encodeWithSelector(IKeyRegistry.ForeignHost.selector, uint64(1)));
        proposal.host = _host();
        proposal.host.coprocessor = address(0);
        _refused(
            proposal, abi.encodeWithSelector(IKeyRegistry.HostMissing.selector, address(0), address(gateway))
        );
        proposal.host = _host();
        proposal.host.gateway = address(0);
        _refused(
            proposal, abi.encodeWithSelector(IKeyRegistry.HostMissing.selector, address(coprocessor), address(0))
        );
    }

    function test_hostWithAKeyGetsNoSecond() public {
        bytes32 keyId = _activeKey();
        Proposal memory proposal = _proposal();
        _refused(proposal, abi.encodeWithSelector(IKeyRegistry.HostTaken.selector, address(coprocessor), keyId));
    }

    function test_deadlineLiesAhead() public {
        Proposal memory proposal = _proposal();
        uint64 time = uint64(block.timestamp);
        uint64[2] memory bad = [time, time + 30 days + 1];
        for (uint256 i; i < 2; ++i) {
            proposal.deadline = bad[i];
            _refused(proposal, abi.encodeWithSelector(IKeyRegistry.DeadlineOutOfRange.selector, bad[i]));
        }
        proposal.deadline = time + 30 days;
        vm.prank(governance);
        keys.propose(proposal);
    }

    function test_parametersAreNamed() public {
        Proposal memory proposal = _proposal();
        proposal.parametersHash = 0;
        _refused(proposal, abi.encodeWithSelector(IKeyRegistry.DigestMissing.selector));
    }

    function _refused(Proposal memory proposal, bytes memory refusal) private {
        vm.prank(governance);
        vm.expectRevert(refusal);
        keys.propose(proposal);
    }

    function _sameOperator(address signer, address other, Role role) private {
        bytes16 ppid = nodes.nodeOf(signer).ppid;
        nodes.put(signer, nodes.nodeOf(other).operator, role, uint32(block.timestamp) + STANDING, ppid);
    }

    function _setPlatform(address signer, bytes16 ppid, Role role) private {
        nodes.put(signer, nodes.nodeOf(signer).operator, role, uint32(block.timestamp) + STANDING, ppid);
    }
}
